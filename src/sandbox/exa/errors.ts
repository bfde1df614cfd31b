import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { requestIdOf } from "./result.ts";

const tags: Readonly<Record<number, string>> = {
  400: "INVALID_REQUEST_BODY",
  401: "INVALID_API_KEY",
  402: "NO_MORE_CREDITS",
  404: "NOT_FOUND",
  429: "RATE_LIMIT_EXCEEDED",
  500: "DEFAULT_ERROR",
};
const sentences: Readonly<Record<number, string>> = {
  401: "Invalid API key",
  402: "You have exceeded your credits limit.",
  429: "You've exceeded your Exa rate limit.",
};

/** `{requestId, error, tag}`. */
export function refuseAsExa({ status, message }: Refusal, request: RunRequest): RunAnswer {
  return json(
    {
      requestId: requestIdOf(request),
      error: sentences[status] ?? message,
      tag: tags[status] ?? "DEFAULT_ERROR",
    },
    { status, headers: status === 429 ? { "retry-after": "1" } : {} },
  );
}
