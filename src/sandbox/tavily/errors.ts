import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Unauthorized: missing or invalid API key.",
  429: "Your request has been blocked due to excessive requests.",
  432: "This request exceeds your plan's set usage limit.",
  433: "This request exceeds the pay-as-you-go limit.",
};

/** `{detail: {error}}`. */
export function refuseAsTavily({ status, message }: Refusal): RunAnswer {
  const headers = status === 429 ? { "retry-after": "1" } : {};
  return json({ detail: { error: sentences[status] ?? message } }, { status, headers });
}
