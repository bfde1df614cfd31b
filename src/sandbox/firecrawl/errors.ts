import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Unauthorized: Invalid token",
  402: "Insufficient credits to perform this request.",
  408: "The scrape operation timed out before completing.",
  429: "Rate limit exceeded.",
  500: "An unexpected error occurred on our side.",
};
const codes: Readonly<Record<number, string>> = { 400: "BAD_REQUEST", 408: "SCRAPE_TIMEOUT" };

/** `{success: false, error, code?, details?}`. */
export function refuseAsFirecrawl({ status, message, param, code }: Refusal): RunAnswer {
  const isForm = param !== undefined || code === "bad_json";
  const details = isForm ? { details: [{ code: "invalid_type", path: [param ?? ""], message }] } : {};
  return json(
    {
      success: false,
      ...(codes[status] === undefined ? {} : { code: codes[status] }),
      error: isForm ? "Bad Request" : (sentences[status] ?? message),
      ...details,
    },
    { status, headers: status === 429 ? { "retry-after": "1" } : {} },
  );
}
