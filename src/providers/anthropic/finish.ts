import { isJsonObject } from "../../core/json-object.ts";
import { textOf } from "./exact-json.ts";

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** Why it ended, in OpenAI's words. A call of the helper for JSON output is no tool call, so it ends with `stop`. */
export function finishReasonOf(stopReason: string | undefined, hasToolCalls: boolean): FinishReason {
  switch (stopReason ?? "") {
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "tool_use":
      return hasToolCalls ? "tool_calls" : "stop";
    case "refusal":
      return "content_filter";
    default:
      return "stop";
  }
}

/** What the provider says about a refusal, "" when it says nothing; undefined when the answer is no refusal. */
export function refusalOf(stopReason: string | undefined, details: unknown): string | undefined {
  if (stopReason !== "refusal") return undefined;
  return (isJsonObject(details) ? textOf(details["explanation"]) : undefined) ?? "";
}

/** Shown when the provider gives no reason: OpenAI's clients know a refusal by a text that is not empty. */
export const silentRefusal = "The model declined to answer.";
