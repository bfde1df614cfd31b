import type { Headers } from "../exchange.ts";

const limits = { requests: 4_000, "input-tokens": 2_000_000, "output-tokens": 400_000, tokens: 2_400_000 };
const refillMs = 1_000;

/** Headers of a good answer; resets are RFC 3339 times. */
export function headersFor(fingerprint: string, usedTokens: number, nowMs: number): Headers {
  const reset = `${new Date(nowMs + refillMs).toISOString().slice(0, 19)}Z`;
  const headers: Record<string, string> = {
    "request-id": `req_011${fingerprint.slice(43)}`,
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
  };
  for (const [name, limit] of Object.entries(limits)) {
    const used = name === "requests" ? 1 : usedTokens;
    headers[`anthropic-ratelimit-${name}-limit`] = String(limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(Math.max(0, limit - used));
    headers[`anthropic-ratelimit-${name}-reset`] = reset;
  }
  return headers;
}

export function refusalHeaders(status: number, fingerprint: string, nowMs: number): Headers {
  const headers = headersFor(fingerprint, 0, nowMs);
  if (status !== 429) return { "request-id": headers["request-id"] ?? "" };
  return { ...headers, "anthropic-ratelimit-requests-remaining": "0", "retry-after": "1" };
}
