import type { Found } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import type { ChatCall } from "../core/chat.ts";
import { formatCredits } from "../core/credits.ts";
import type { Credits } from "../core/credits.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import { namedMembers } from "../core/named-members.ts";
import { Problem } from "../core/problems.ts";
import type { Ending } from "../core/receipt.ts";
import type { Closed } from "../ledger/ledger.ts";
import type { LimitState } from "../limits/limits.ts";
import type { Route } from "../routing/first-that-answers.ts";
import { offerKey } from "../routing/rank.ts";
import type { AnswerHeaders } from "./chat-client.ts";
import type { ChatHouse } from "./chat-house.ts";
import type { Held } from "./hold.ts";
import { limitHeaders } from "./caller-headers.ts";
import type { Metered } from "./metering.ts";
import type { Place } from "./open-calls.ts";
import { patienceFor } from "./patience.ts";
import type { SandboxOrders } from "./sandbox-orders.ts";
import type { Left, Try } from "./upstream-try.ts";

/** What the door read and settled before the call begins. */
export type ChatAsk = {
  readonly requestId: string;
  readonly callId: string;
  readonly caller: Caller;
  readonly call: Omit<ChatCall, "maxTokens">;
  readonly orders: SandboxOrders | undefined;
  /** False: no other offer is tried when the first fails. */
  readonly mayFallBack: boolean;
};

/** A call that holds credits. It ends in exactly one `closeWith`. */
export type OpenChat = {
  readonly ask: ChatAsk;
  readonly call: ChatCall;
  readonly found: Found<ChatModel>;
  readonly offers: readonly [Offer, ...Offer[]];
  readonly held: Held;
  readonly limits: LimitState;
  readonly place: Place;
  /** The offer that was tried last: for the log, when the call fails. */
  readonly tried: { last: Offer | undefined };
  /** Milliseconds since 1970. */
  readonly startedAt: number;
};

/** How an open call is asked for at one offer. Throws `Problem` when the offer's wire cannot carry the request. */
export function tryOf(open: OpenChat, house: ChatHouse, offer: Offer): Try {
  const line = house.lineTo(offer, open.found.model, open.ask.caller.mode);
  open.tried.last = offer;
  if (line === undefined) throw new Problem("internal_error", { cause: `no line to ${offerKey(offer)}` });
  const request = line.wire.request(open.call, line.target);
  const { orders } = open.ask;
  return {
    line,
    timeouts: patienceFor(open.call, open.found.model, house.patience),
    request: orders === undefined ? request : { ...request, headers: { ...request.headers, ...orders } },
    view: {
      model: open.call.request.model,
      id: completionId(open),
      created: createdAt(open),
      choices: open.call.request.n ?? 1,
    },
  };
}

/** The id of answers whose wire has none. */
export function completionId(open: OpenChat): string {
  return `chatcmpl-${open.ask.callId.slice("call_".length)}`;
}

/** Seconds since 1970. */
export function createdAt(open: OpenChat): number {
  return Math.floor(open.startedAt / 1000);
}

export type Close = {
  readonly ending: Ending;
  readonly metered: Metered;
  readonly problem?: Problem | undefined;
  readonly route?: Route<unknown> | undefined;
};

/** Charges what was metered, gives the rest of the hold back and writes the receipt. Resolves when that is durable. */
export function closeWith(open: OpenChat, house: ChatHouse, close: Close): Promise<Closed> {
  const { ask, call, startedAt } = open;
  const { metered, route } = close;
  const offer = route !== undefined && "answer" in route.outcome ? route.offer : undefined;
  return house.ledger.close({
    callId: ask.callId,
    accountId: ask.caller.accountId,
    keyId: ask.caller.keyId,
    mode: ask.caller.mode,
    model: call.request.model,
    servedBy: offer === undefined ? "" : offerKey(offer),
    usage: metered.usage,
    estimated: metered.estimated,
    cost: offer === undefined ? 0n : metered.costAt(offer),
    ending: close.ending,
    problem: close.problem?.code ?? null,
    attempts: route?.attempts ?? 0,
    startedAt,
    endedAt: house.clock.now(),
  });
}

export type HeaderFacts = {
  readonly offer: Offer;
  readonly left: Left;
  readonly cost?: Credits;
  readonly balance?: Credits;
};

export function answerHeaders(open: OpenChat, facts: HeaderFacts): AnswerHeaders {
  const headers: Record<string, string> = {
    ...limitHeaders(open.limits),
    "x-skillboss-model": offerKey(facts.offer),
  };
  if (facts.cost !== undefined) headers["x-skillboss-cost"] = formatCredits(facts.cost);
  if (facts.balance !== undefined) headers["x-skillboss-balance"] = formatCredits(facts.balance);
  if (facts.left.dropped.length > 0) headers["x-skillboss-dropped"] = namedMembers(facts.left.dropped);
  const changed = changedMembers(open, facts.left);
  if (changed.length > 0) headers["x-skillboss-changed"] = namedMembers(changed);
  if (open.held.isShortened) headers["x-skillboss-max-tokens"] = String(open.call.maxTokens);
  return headers;
}

/** The members that went upstream with another value than the customer's. */
function changedMembers({ call }: OpenChat, { changed = [] }: Left): readonly string[] {
  const { max_completion_tokens: newer, max_tokens: older } = call.request;
  const asked = newer ?? older ?? undefined;
  if (asked === undefined || asked <= call.maxTokens) return changed;
  return [...changed, typeof newer === "number" ? "max_completion_tokens" : "max_tokens"];
}
