import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const names: Readonly<Record<number, string>> = {
  400: "validation_error",
  401: "restricted_api_key",
  403: "validation_error",
  404: "not_found",
  405: "method_not_allowed",
  409: "concurrent_idempotent_requests",
  422: "validation_error",
  429: "rate_limit_exceeded",
};
/** Codes of the frame and of field rules; others are names of Resend's. */
const own: Readonly<Record<string, string>> = {
  no_credential: "missing_api_key",
  bad_credential: "invalid_api_key",
  bad_json: "validation_error",
  missing: "missing_required_field",
  wrong_kind: "validation_error",
};

/** `{statusCode, name, message}`. No key is a 401, a wrong one a 403. */
export function refuseAsResend({ status, message, code }: Refusal): RunAnswer {
  const told = code === "bad_credential" ? 403 : status;
  const name = code === undefined ? (names[status] ?? "internal_server_error") : (own[code] ?? code);
  return json({ statusCode: told, name, message }, { status: told });
}
