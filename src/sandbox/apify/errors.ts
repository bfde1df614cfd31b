import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const types: Readonly<Record<number, string>> = {
  400: "invalid-input",
  401: "user-or-token-not-found",
  402: "not-enough-usage-to-run-paid-actor",
  403: "insufficient-permissions",
  404: "record-not-found",
  413: "request-too-large",
  429: "rate-limit-exceeded",
};
const sentences: Readonly<Record<number, string>> = {
  401: "User was not found or authentication token is not valid",
  429: "You have exceeded the rate limit",
};

/** `{error: {type, message}}`. */
export function refuseAsApify({ status, message }: Refusal): RunAnswer {
  const error = { type: types[status] ?? "internal-server-error", message: sentences[status] ?? message };
  return json({ error }, { status, headers: status === 429 ? { "retry-after": "1" } : {} });
}
