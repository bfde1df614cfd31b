import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Not authenticated",
  402: "Insufficient credits",
  404: "Generation not found",
  429: "Too many requests",
};

/** `{detail}`: always a sentence. Too few credits are a 400. */
export function refuseAsLuma({ status, message }: Refusal): RunAnswer {
  return json({ detail: sentences[status] ?? message }, { status: status === 402 ? 400 : status });
}
