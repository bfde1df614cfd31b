import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Invalid or missing API key",
  402: "Looks like you're out of credits :(",
  429: "Too many requests",
};

/** `{success: false, errorStatus, message}`. */
export function refuseAsScrapeCreators({ status, message }: Refusal): RunAnswer {
  return json({ success: false, errorStatus: status, message: sentences[status] ?? message }, { status });
}
