import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "Invalid API key.",
  402: "Insufficient credits remaining.",
  403: "Forbidden",
  429: "Too many requests",
  500: "An error occurred while generating the gamma.",
};

/** `{message, statusCode}`. */
export function refuseAsGamma({ status, message, param }: Refusal): RunAnswer {
  const text =
    param === undefined ? (sentences[status] ?? message) : `Input validation errors: 1. ${message}`;
  return json({ message: text, statusCode: status }, { status });
}
