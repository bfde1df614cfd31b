import type { WholeAnswer } from "../providers/wire.ts";
import { firstThatAnswers } from "../routing/first-that-answers.ts";
import type { Route } from "../routing/first-that-answers.ts";
import { Problem } from "../core/problems.ts";
import type { ChatClient } from "./chat-client.ts";
import type { ChatHouse } from "./chat-house.ts";
import { wholeBody } from "./ending.ts";
import { isPaidFor, meterAnswer, nothingUsed, uncharged } from "./metering.ts";
import { answerHeaders, closeWith, tryOf } from "./open-chat.ts";
import type { OpenChat } from "./open-chat.ts";
import { endedByUs, nothingLeft } from "./upstream-try.ts";
import type { Left } from "./upstream-try.ts";
import { WholeReader } from "./whole-reader.ts";

/** Answers an open call in one piece. Nothing is delivered before all of it is there, so leaving early costs nothing. */
export async function answerWhole(open: OpenChat, house: ChatHouse, client: ChatClient): Promise<void> {
  let reader: WholeReader | undefined;
  client.onGone(() => reader?.abort());
  open.place.onCut(() => reader?.abort());
  const route = await firstThatAnswers(open.offers, house.health[open.ask.caller.mode], (offer) => {
    if (client.gone || open.place.isCut) return Promise.resolve(endedByUs);
    reader = new WholeReader(tryOf(open, house, offer));
    return reader.start(house.upstream).attempt;
  });
  if ("answer" in route.outcome && !client.gone) {
    await deliver({ open, house, client }, route, {
      answer: route.outcome.answer,
      left: reader?.left ?? nothingLeft,
    });
    return;
  }
  if (client.gone || !("problem" in route.outcome)) {
    await closeWith(open, house, { ending: "aborted", metered: nothingUsed, route });
    return;
  }
  const problem = open.place.isCut ? new Problem("shutting_down") : route.outcome.problem;
  await closeWith(open, house, { ending: "failed", metered: nothingUsed, route, problem });
  throw problem;
}

type Setting = { readonly open: OpenChat; readonly house: ChatHouse; readonly client: ChatClient };
type Delivery = { readonly answer: WholeAnswer; readonly left: Left };

async function deliver(
  { open, house, client }: Setting,
  route: Route<WholeAnswer>,
  { answer, left }: Delivery,
): Promise<void> {
  const metering = meterAnswer(open, answer, house);
  const counted = metering instanceof Promise ? await metering : metering;
  const isPaid = isPaidFor(answer);
  const metered = isPaid ? counted : uncharged(counted);
  const { charged, available } = await closeWith(open, house, {
    ending: isPaid ? "done" : "empty",
    metered,
    route,
  });
  const headers = answerHeaders(open, { offer: route.offer, left, cost: charged, balance: available });
  client.answer(headers, wholeBody(open, { answer, metered, available }));
}
