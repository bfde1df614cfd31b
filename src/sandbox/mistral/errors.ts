import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import { detailOf } from "../validation-detail.ts";

type Told = { readonly type: string; readonly code: string };

const told: Readonly<Record<number, Told>> = {
  400: { type: "invalid_request_error", code: "3051" },
  402: { type: "payment_required", code: "1910" },
  404: { type: "not_found", code: "1500" },
  429: { type: "rate_limited", code: "1300" },
  503: { type: "service_unavailable", code: "1930" },
};

/** `{object: "error", message, type, param, code}`; `{detail}` for a wrong key and, as a list, for a 422. */
export function refuseAsMistral(refusal: Refusal): RunAnswer {
  const { status, message } = refusal;
  const detail = status === 400 && refusal.code !== "bad_json" ? undefined : detailOf(refusal);
  if (detail !== undefined) return json({ detail }, { status: 422 });
  if (status === 401) return json({ detail: "Unauthorized" }, { status });
  const { type, code } = told[status] ?? { type: "internal_server_error", code: "1000" };
  const text = status === 429 ? "Rate limit exceeded" : message;
  return json(
    { object: "error", message: text, type, param: null, code, raw_status_code: status },
    { status },
  );
}
