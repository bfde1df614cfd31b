import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const ids: Readonly<Record<number, string>> = {
  400: "wrong_params",
  401: "authentication_failed",
  403: "rate_limit",
  404: "not_found",
  429: "too_many_requests",
  451: "claimed_email",
};
const sentences: Readonly<Record<number, string>> = {
  401: "No user found for the API key supplied",
  403: "You have reached the rate limit.",
  429: "You've reached the limit for the number of searches per billing period included in your plan.",
};

/** `{errors: [{id, code, details}]}`. */
export function refuseAsHunter({ status, message }: Refusal): RunAnswer {
  const error = { id: ids[status] ?? "server_error", code: status, details: sentences[status] ?? message };
  return json({ errors: [error] }, { status });
}
