import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

/** What the frame and the rules of fields say, in the words of this wire. */
const codes: Readonly<Record<string, string>> = {
  missing: "parameter_missing",
  wrong_kind: "parameter_invalid_empty",
  not_allowed: "parameter_unknown",
  too_small: "parameter_invalid_integer",
  too_large: "parameter_invalid_integer",
};
const silent: ReadonlySet<string> = new Set(["no_credential", "bad_credential", "bad_json", "told"]);

/** `{error: {type, code, message, param}}`; a 402 is about a card, a 429 about the rate. */
export function refuseAsStripe({ status, message, param, code }: Refusal): RunAnswer {
  const named = code === undefined || silent.has(code) ? codeOf(status) : (codes[code] ?? code);
  const error = {
    type: typeOf(status, code),
    ...(named === undefined ? {} : { code: named }),
    ...(status === 402 ? { decline_code: "generic_decline" } : {}),
    message: code === "bad_credential" ? "Invalid API Key provided: invalid" : message,
    ...(param === undefined ? {} : { param }),
    ...(named === undefined ? {} : { doc_url: `https://stripe.com/docs/error-codes/${named}` }),
  };
  return json({ error }, { status });
}

function codeOf(status: number): string | undefined {
  if (status === 402) return "card_declined";
  if (status === 404) return "resource_missing";
  return status === 429 ? "rate_limit" : undefined;
}

function typeOf(status: number, code: string | undefined): string {
  if (code === "idempotency_key_in_use" || code === "idempotency_key_reused") return "idempotency_error";
  if (status === 402) return "card_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}
