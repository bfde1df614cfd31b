import type { Caller } from "../core/caller.ts";
import { formatCredits } from "../core/credits.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Limiter, LimitState } from "../limits/limits.ts";
import type { AnswerHeaders } from "./chat-client.ts";

/** The limit headers in OpenAI's names; the reset in its duration form. */
export function limitHeaders(state: LimitState): AnswerHeaders {
  return {
    "x-ratelimit-limit-requests": String(state.limit),
    "x-ratelimit-remaining-requests": String(state.remaining),
    "x-ratelimit-reset-requests": `${state.resetSeconds}s`,
  };
}

type Standing = { readonly limiter: Limiter; readonly ledger: Ledger };

/** Limits and balance as far as they can be read: an answer is not lost because its headers are. */
export async function callerHeaders(caller: Caller, { limiter, ledger }: Standing): Promise<AnswerHeaders> {
  const headers: Record<string, string> = {};
  try {
    Object.assign(headers, limitHeaders(await limiter.peek(caller.keyId, caller.limits)));
    const { available } = (await ledger.balances(caller.accountId))[caller.mode];
    headers["x-skillboss-balance"] = formatCredits(available);
  } catch {
    // Whatever could be read is told.
  }
  return headers;
}
