/**
 * The whole story of a chat call: model → limits → quote → hold → offers until the first byte → deliver while metering
 * → settle, durably → only then the end of the answer. A call opens once and ends once, whatever happens between.
 */
import type { Found } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import type { Ticket } from "../limits/limits.ts";
import { admitted, LimitReached } from "./admission.ts";
import type { AnswerHeaders, ChatClient } from "./chat-client.ts";
import type { ChatHouse } from "./chat-house.ts";
import { isForTheLog, logFailedCall } from "./failed-call.ts";
import { holdFor } from "./hold.ts";
import { balanceHeader, callerHeaders, limitHeaders } from "./caller-headers.ts";
import { findModel, nameOf } from "./find-model.ts";
import { nothingUsed } from "./metering.ts";
import { closeWith } from "./open-chat.ts";
import type { ChatAsk, OpenChat } from "./open-chat.ts";
import { maxTokensOf } from "./quote.ts";
import { answerStream } from "./stream-answer.ts";
import { answerWhole } from "./whole-answer.ts";

/** Answers a chat call. Refusals and failures reach the client as well: this never rejects. */
export async function answerChat(ask: ChatAsk, house: ChatHouse, client: ChatClient): Promise<void> {
  let ticket: Ticket | undefined;
  let open: OpenChat | undefined;
  // Entered before the first wait: a shutdown waits for a call that waits for its hold.
  const place = house.openCalls.enter();
  try {
    if (house.openCalls.isClosed) throw new Problem("shutting_down");
    const servable = findServable(ask, house);
    const admission = house.limiter.enter(ask.caller.keyId, ask.caller.limits);
    ticket = admitted(admission instanceof Promise ? await admission : admission);
    open = await openChat(ask, house, { ...servable, limits: ticket.state, place });
    await answerOpen(open, house, client);
    ticket.leave();
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem("internal_error", { cause: error });
    if (open === undefined || isRefusedHere(problem)) ticket?.withdraw();
    else ticket?.leave();
    if (isForTheLog(problem)) logFailedCall(house, { ask, problem, offer: open?.tried.last });
    client.refuse(problem, await refusalHeaders(problem, ask.caller, house));
  } finally {
    place.leave();
  }
}

/** What the limits and the balance are after the refusal. */
async function refusalHeaders(problem: Problem, caller: Caller, house: ChatHouse): Promise<AnswerHeaders> {
  if (!(problem instanceof LimitReached)) return callerHeaders(caller, house);
  const recent = house.recentBalances.get(caller.accountId);
  // An answer is not lost because the balance cannot be read.
  const balance = await recent.then((balances) => balanceHeader(caller, balances)).catch(() => ({}));
  return { ...limitHeaders(problem.state), ...balance };
}

/** No provider was asked, although the call was open: such a call does not count towards the minute either. */
function isRefusedHere({ code }: Problem): boolean {
  return code === "invalid_request";
}

type Servable = { readonly found: Found<ChatModel>; readonly offers: readonly [Offer, ...Offer[]] };

/** The model and those of its offers that can be reached, or the problem that there are none. */
function findServable(ask: ChatAsk, house: ChatHouse): Servable {
  const asked = findModel(ask.call.request.model, ask.caller, house.catalog);
  const { model, alias } = asked;
  if (model.kind !== "chat") {
    throw new Problem("wrong_endpoint", {
      param: "model",
      message: `${nameOf(asked)} is not a chat model: call it with POST /v1/run.`,
    });
  }
  let refusal: Problem | undefined;
  const offers = model.offers.filter((offer) => {
    const line = house.lineTo(offer, model, ask.caller.mode);
    const refused = line?.wire.refusalOf(ask.call.request, line.target);
    refusal ??= refused;
    return line !== undefined && refused === undefined;
  });
  if (!isSome(offers)) throw refusal ?? notConfigured({ model, alias }, house);
  // Without fallback this one or none, also while it rests from a failure.
  return { found: { model, alias }, offers: ask.mayFallBack ? offers : [offers[0]] };
}

function isSome(offers: readonly Offer[]): offers is readonly [Offer, ...Offer[]] {
  return offers.length > 0;
}

function notConfigured(found: Found<ChatModel>, house: ChatHouse): Problem {
  const variables = found.model.offers.map((offer) => house.variableFor(offer)).join(" or ");
  return new Problem("provider_not_configured", {
    message: `No provider of ${nameOf(found)} is configured: the operator has to set ${variables}. A test key works without.`,
    retryAfterSeconds: 60,
  });
}

type Opening = Servable & Pick<OpenChat, "limits" | "place">;

async function openChat(
  ask: ChatAsk,
  house: ChatHouse,
  { found, offers, ...standing }: Opening,
): Promise<OpenChat> {
  const asked = { ...ask.call, maxTokens: maxTokensOf(ask.call.request, found.model) };
  const held = await holdFor({ ask, call: asked, found, offers }, house);
  const call = held.maxTokens === asked.maxTokens ? asked : { ...asked, maxTokens: held.maxTokens };
  const tried = { last: undefined };
  return { ask, call, found, offers, held, tried, ...standing, startedAt: house.clock.now() };
}

async function answerOpen(open: OpenChat, house: ChatHouse, client: ChatClient): Promise<void> {
  try {
    await (open.call.stream ? answerStream(open, house, client) : answerWhole(open, house, client));
  } catch (error) {
    // A call that was closed already stays as it was closed: closing twice changes nothing.
    const problem = error instanceof Problem ? error : new Problem("internal_error", { cause: error });
    await closeWith(open, house, { ending: "failed", metered: nothingUsed, problem });
    throw problem;
  }
}
