import type { Caller } from "../core/caller.ts";
import { formatCredits } from "../core/credits.ts";
import type { Balances, Ledger } from "../ledger/ledger.ts";
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

export function balanceHeader({ mode }: Caller, balances: Balances): AnswerHeaders {
  return { "x-skillboss-balance": formatCredits(balances[mode].available) };
}

type Standing = { readonly limiter: Limiter; readonly ledger: Ledger };

/** Limits and balance as far as they can be read: an answer is not lost because its headers are. */
export async function callerHeaders(caller: Caller, { limiter, ledger }: Standing): Promise<AnswerHeaders> {
  const headers: Record<string, string> = {};
  try {
    Object.assign(headers, limitHeaders(await limiter.peek(caller.keyId, caller.limits)));
    Object.assign(headers, balanceHeader(caller, await ledger.balances(caller.accountId)));
  } catch {
    // Whatever could be read is told.
  }
  return headers;
}
