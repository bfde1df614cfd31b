import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const types: Readonly<Record<number, string>> = {
  400: "invalid_request",
  401: "forbidden",
  403: "forbidden",
  404: "not_found",
  413: "payload_too_large",
  429: "request_rate_limit_exceeded",
  502: "bad_gateway",
  504: "gateway_timeout",
};
/** Codes of the frame and of field rules, which are no types of Perplexity's. */
const own = /^(?:bad_json|no_credential|bad_credential|missing|wrong_kind|not_allowed|too_small|too_large)$/;

/** `{error: {message, type, code, param?}}`, where the code is the status. */
export function refuseAsPerplexity({ status, message, param, code }: Refusal): RunAnswer {
  const type = code === undefined || own.test(code) ? (types[status] ?? "internal_error") : code;
  const told = { message, type, code: status, ...(param === undefined ? {} : { param }) };
  return json({ error: told }, { status, headers: status === 429 ? { "retry-after": "1" } : {} });
}
