import type { Found } from "../catalog/catalog.ts";
import type { ChatCall } from "../core/chat.ts";
import type { Credits } from "../core/credits.ts";
import { formatCredits } from "../core/credits.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import type { HoldAnswer } from "../ledger/ledger.ts";
import type { ChatHouse } from "./chat-house.ts";
import type { ChatAsk } from "./open-chat.ts";
import { affordableTokens, boundsFromCount, boundsOf, leastUsefulQuote, quote } from "./quote.ts";
import type { Bounds } from "./quote.ts";
import { otherTexts, promptTexts, templateTokens } from "./token-counter.ts";

export type Held = {
  /** The balance right after the hold. */
  readonly available: Credits;
  /** The most output tokens that the hold pays for: what goes upstream. */
  readonly maxTokens: number;
  /** True when that is less than was asked for, because the balance does not reach further. */
  readonly isShortened: boolean;
};

export type Holding = {
  readonly ask: ChatAsk;
  readonly call: ChatCall;
  readonly found: Found<ChatModel>;
  readonly offers: readonly [Offer, ...Offer[]];
};

/**
 * Holds the cost of the largest usage. When that exceeds the balance, the prompt is counted for real and the hold takes
 * what there is, if that still buys a useful answer. Throws `insufficient_balance` with what would be needed.
 */
export async function holdFor(holding: Holding, house: ChatHouse): Promise<Held> {
  const { call, found, offers } = holding;
  const generous = boundsOf(call, found.model);
  const amount = quote(offers, generous, house.creditUsd);
  const first = await hold(holding, house, { amount, minimum: amount });
  if (first.held !== undefined)
    return { available: first.available, maxTokens: call.maxTokens, isShortened: false };
  if (first.available === 0n)
    throw new InsufficientBalance(leastUsefulQuote(offers, generous, house.creditUsd), 0n);

  const counted =
    (await house.tokens.count([...promptTexts(call), ...otherTexts(call)])) + templateTokens(call);
  const bounds = boundsFromCount(call, found.model, counted);
  const minimum = leastUsefulQuote(offers, bounds, house.creditUsd);
  const second = await hold(holding, house, { amount: quote(offers, bounds, house.creditUsd), minimum });
  if (second.held === undefined) throw new InsufficientBalance(minimum, second.available);
  const maxTokens = tokensFor(holding, bounds, { held: second.held, creditUsd: house.creditUsd });
  return { available: second.available, maxTokens, isShortened: maxTokens < call.maxTokens };
}

function tokensFor({ offers }: Holding, bounds: Bounds, paid: { held: Credits; creditUsd: string }): number {
  return Math.max(1, Math.floor(affordableTokens(offers, bounds, paid) / bounds.choices));
}

type Amounts = { readonly amount: Credits; readonly minimum: Credits };

function hold({ ask, call }: Holding, house: ChatHouse, amounts: Amounts): Promise<HoldAnswer> {
  const { callId, caller } = ask;
  return house.ledger.hold({
    callId,
    accountId: caller.accountId,
    keyId: caller.keyId,
    mode: caller.mode,
    model: call.request.model,
    catalogVersion: house.catalog.version,
    ...amounts,
  });
}

/** Says what the smallest useful hold would have been, and what there is. */
export class InsufficientBalance extends Problem {
  readonly available: Credits;

  constructor(required: Credits, available: Credits) {
    super("insufficient_balance", {
      message: `Insufficient credits: this call needs ${formatCredits(required)}, the balance is ${formatCredits(available)}.`,
      extra: {
        required_credits: Number(formatCredits(required)),
        available_credits: Number(formatCredits(available)),
      },
    });
    this.available = available;
  }
}
