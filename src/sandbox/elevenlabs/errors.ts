import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";
import { detailOf } from "../validation-detail.ts";

type Told = { readonly status: string; readonly message?: string };

const told: Readonly<Record<number, Told>> = {
  400: { status: "bad_request" },
  401: { status: "invalid_api_key", message: "Invalid API key" },
  402: { status: "payment_required", message: "This request needs a paid subscription." },
  403: { status: "missing_permissions" },
  404: { status: "not_found" },
  429: {
    status: "too_many_concurrent_requests",
    message: "Too many concurrent requests for the subscription.",
  },
  503: { status: "system_busy", message: "The system is experiencing heavy traffic." },
};

/** `{detail: {status, message}}`, or for 422 the list of members at fault. Used-up credits are a 401. */
export function refuseAsElevenlabs(refusal: Refusal): RunAnswer {
  const { status, message, code } = refusal;
  const detail = status === 400 && code !== "bad_json" ? undefined : detailOf(refusal);
  if (detail !== undefined) return json({ detail }, { status: 422 });
  if (code === "no_credential") {
    const text = "Neither an authorization header nor xi-api-key was received.";
    return json({ detail: { status: "needs_authorization", message: text } }, { status: 401 });
  }
  const isOwn = code === undefined || code === "bad_credential";
  const known = told[status] ?? { status: "internal_server_error" };
  return json(
    {
      detail: { status: isOwn ? known.status : code, message: isOwn ? (known.message ?? message) : message },
    },
    { status },
  );
}
