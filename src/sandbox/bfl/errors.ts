import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";
import { detailOf } from "../validation-detail.ts";

const sentences: Readonly<Record<number, string>> = {
  402: "Insufficient credits",
  404: "Not Found",
  429: "Rate limit exceeded: too many active tasks",
  503: "Service temporarily unavailable",
};

/** `{detail}`: a sentence, or for 422 the list of members at fault. A missing or wrong key is a 403. */
export function refuseAsBfl(refusal: Refusal): RunAnswer {
  const { status, message, code } = refusal;
  if (code === "no_credential" || code === "bad_credential") {
    return json({ detail: "Not authenticated" }, { status: 403 });
  }
  const detail = detailOf(refusal);
  if (detail !== undefined) return json({ detail }, { status: 422 });
  return json({ detail: sentences[status] ?? message }, { status });
}
