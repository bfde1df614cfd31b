import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";
import { detailOf } from "../validation-detail.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Authentication is required to access this application.",
  402: "User is locked. Reason: Exhausted balance.",
  403: "User is locked. Reason: Exhausted balance.",
  404: "Path not found",
  429: "Too many requests.",
  503: "Service unavailable.",
};

/**
 * `{detail}`: a sentence, or for 422 the list of members at fault. A used-up balance is a 403. What failed at the runner
 * has `error_type` beside it, and in a header.
 */
export function refuseAsFal(refusal: Refusal): RunAnswer {
  const { status, message, code } = refusal;
  const detail = detailOf(refusal);
  if (detail !== undefined) {
    const type = code === "content_policy_violation" ? { type: code } : {};
    return json({ detail: detail.map((one) => ({ ...one, ...type })) }, { status: 422 });
  }
  if (code?.startsWith("runner_") === true) {
    return json({ detail: message, error_type: code }, { status, headers: { "x-fal-error-type": code } });
  }
  return json({ detail: sentences[status] ?? message }, { status: status === 402 ? 403 : status });
}
