import type { ChatRequest } from "../core/chat.ts";
import { Problem } from "../core/problems.ts";

/** What not every provider can do, and what no provider may leave out: the answer would be another one. */
export type Ability = "n" | "functions" | "modalities" | "custom_tools";

/** The first thing that a request asks for and its provider cannot do. Most requests ask for none of it. */
export function refusalFor(request: ChatRequest, can: (ability: Ability) => boolean): Problem | undefined {
  const { n, functions, modalities } = request;
  if ((n ?? 1) > 1 && !can("n"))
    return refusal("n", "this model gives one answer per call; leave n out and call again for more");
  if ((functions ?? undefined) !== undefined && !can("functions"))
    return refusal("functions", "this model takes tools; send each function as a tool of type function");
  if (Array.isArray(modalities) && modalities.includes("audio") && !can("modalities"))
    return refusal("modalities", "this model does not speak; want text");
  const custom = can("custom_tools") ? undefined : customToolIn(request);
  return custom === undefined ? undefined : refusal(custom, "this model takes tools of type function only");
}

export function refusal(param: string, message: string): Problem {
  return new Problem("invalid_request", { param, message: `${param}: ${message}` });
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
