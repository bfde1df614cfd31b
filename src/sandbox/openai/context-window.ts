import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";

/** Prompt and output share the window; platform.openai.com/docs/guides/conversation-state, managing the window. */
export function refuseTooLong(request: JsonObject, promptTokens: number, window: number | undefined): void {
  const asked = request["max_completion_tokens"] ?? request["max_tokens"];
  const outputTokens = typeof asked === "number" ? asked : 0;
  if (window === undefined || promptTokens + outputTokens <= window) return;
  const parts = `${promptTokens} in the messages, ${outputTokens} for the completion`;
  throw new Refusal(400, `This model's maximum context length is ${window} tokens; these are ${parts}.`, {
    param: "messages",
    code: "context_length_exceeded",
  });
}
