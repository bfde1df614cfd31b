import type { Headers } from "../exchange.ts";

const requestLimit = 10_000;
const tokenLimit = 2_000_000;

/** Headers of a good answer. Durations are written the way OpenAI does: `6ms`, `1s`, `6m0s`. */
export function headersFor(fingerprint: string, usedTokens: number): Headers {
  return {
    "x-request-id": `req_${fingerprint.slice(32)}`,
    "openai-version": "2020-10-01",
    "openai-processing-ms": "1",
    "x-ratelimit-limit-requests": String(requestLimit),
    "x-ratelimit-remaining-requests": String(requestLimit - 1),
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-limit-tokens": String(tokenLimit),
    "x-ratelimit-remaining-tokens": String(Math.max(0, tokenLimit - usedTokens)),
    "x-ratelimit-reset-tokens": `${Math.ceil(usedTokens / 30)}ms`,
  };
}

export function refusalHeaders(status: number, fingerprint: string): Headers {
  const headers = headersFor(fingerprint, 0);
  if (status !== 429) return { "x-request-id": headers["x-request-id"] ?? "" };
  return {
    ...headers,
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1s",
    "retry-after": "1",
    "retry-after-ms": "1000",
  };
}
