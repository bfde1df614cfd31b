import type { LimitState } from "../limits/limits.ts";
import type { AnswerHeaders } from "./chat-client.ts";

/** The limit headers in OpenAI's names; the reset in its duration form. */
export function limitHeaders(state: LimitState): AnswerHeaders {
  return {
    "x-ratelimit-limit-requests": String(state.limit),
    "x-ratelimit-remaining-requests": String(state.remaining),
    "x-ratelimit-reset-requests": `${state.resetSeconds}s`,
  };
}
