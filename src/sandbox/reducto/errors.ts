import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";
import { detailOf } from "../validation-detail.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Invalid API key",
  402: "The account has no credits left.",
  404: "Not Found",
  429: "Rate limit exceeded",
};

/** `{detail}`: a sentence, or for 422 the list of members at fault. */
export function refuseAsReducto(refusal: Refusal): RunAnswer {
  const { status, message, code } = refusal;
  const detail = detailOf(refusal);
  if (detail !== undefined) return json({ detail }, { status: 422 });
  const isTold = code === "told";
  return json({ detail: isTold ? message : (sentences[status] ?? message) }, { status });
}
