import type { ChatRequest } from "../core/chat.ts";
import { Problem } from "../core/problems.ts";

/** For providers that know tools of type `function` only: the first thing that only others understand. */
export function customToolRefusal(request: ChatRequest): Problem | undefined {
  const param = customToolIn(request);
  if (param === undefined) return undefined;
  return new Problem("invalid_request", {
    param,
    message: `${param}: this model takes tools of type function only.`,
  });
}

function customToolIn({ tools, tool_choice: choice, messages }: ChatRequest): string | undefined {
  const at = tools?.findIndex(({ type }) => type === "custom") ?? -1;
  if (at >= 0) return `tools[${at}].type`;
  if (typeof choice === "object" && choice?.type === "custom") return "tool_choice.type";
  for (const [index, { tool_calls: calls }] of messages.entries()) {
    const call = calls?.findIndex(({ type }) => type === "custom") ?? -1;
    if (call >= 0) return `messages[${index}].tool_calls[${call}].type`;
  }
  return undefined;
}
