import { Problem } from "../core/problems.ts";
import { firstThatAnswers } from "../routing/first-that-answers.ts";
import type { Route } from "../routing/first-that-answers.ts";
import type { ChatClient } from "./chat-client.ts";
import type { ChatHouse } from "./chat-house.ts";
import { endOfStream, errorEvent, headOf } from "./ending.ts";
import { logFailedCall } from "./failed-call.ts";
import { LiveStream } from "./live-stream.ts";
import type { StreamEnd } from "./live-stream.ts";
import { isPaidFor, meterAnswer, nothingUsed, uncharged } from "./metering.ts";
import { answerHeaders, closeWith, tryOf } from "./open-chat.ts";
import type { OpenChat } from "./open-chat.ts";
import { StreamWatch } from "./stream-watch.ts";
import { endedByUs } from "./upstream-try.ts";

/** Answers an open call as a stream. The first delivered frame ends all fallback; the last waits for the settlement. */
export async function answerStream(open: OpenChat, house: ChatHouse, client: ChatClient): Promise<void> {
  const watch = new StreamWatch(open, house, client);
  open.place.onCut(() => watch.stop("cut"));
  try {
    const route = await firstThatAnswers(open.offers, house.health[open.ask.caller.mode], (offer) => {
      if (watch.stopped !== undefined) return Promise.resolve(endedByUs);
      return watch.attend(new LiveStream(tryOf(open, house, offer))).start(house.upstream).attempt;
    });
    if ("answer" in route.outcome) await flow({ open, house, watch }, route, route.outcome.answer);
    else await refuse({ open, house, watch }, route, route.outcome.problem);
  } finally {
    watch.done();
  }
}

type Setting = { readonly open: OpenChat; readonly house: ChatHouse; readonly watch: StreamWatch };

/** No offer gave a first frame. Before the stream began this is an ordinary refusal, afterwards an event in it. */
async function refuse(
  { open, house, watch }: Setting,
  route: Route<LiveStream>,
  told: Problem,
): Promise<void> {
  if (watch.stopped === "gone") {
    await closeWith(open, house, { ending: "aborted", metered: nothingUsed, route });
    return;
  }
  const problem = watch.stopped === "cut" ? new Problem("shutting_down") : told;
  const { available } = await closeWith(open, house, {
    ending: "failed",
    metered: nothingUsed,
    route,
    problem,
  });
  if (!watch.hasBegun) throw problem;
  logFailedCall(house, { ask: open.ask, problem, offer: route.offer });
  watch.end(errorEvent(open, { problem, available, told: undefined }), "utf8");
}

async function flow(setting: Setting, route: Route<LiveStream>, live: LiveStream): Promise<void> {
  const { open, watch } = setting;
  const { available: balance } = open.held;
  watch.begin(answerHeaders(open, { offer: route.offer, left: live.left, balance }), live.early);
  const end = await live.flow(watch);
  if (end.state === "complete") await complete(setting, route, live);
  else await breakOff(setting, route, { live, end });
}

async function complete(
  { open, house, watch }: Setting,
  route: Route<LiveStream>,
  live: LiveStream,
): Promise<void> {
  const { translation } = live;
  // Before the metering: what is kept for the end is delivered now, and counts.
  const closing = translation.closing();
  const counted = await meterAnswer(open, translation, house);
  const isPaid = isPaidFor(translation);
  const metered = isPaid ? counted : uncharged(counted);
  const ending = isPaid ? "done" : "empty";
  const { available } = await closeWith(open, house, { ending, metered, route });
  // An answer of one frame has shown none before.
  const told = watch.told ?? headOf(closing);
  const frames = endOfStream(open, { closing, metered, available, told });
  watch.end(frames, translation.encoding);
}

type Break = { readonly live: LiveStream; readonly end: Exclude<StreamEnd, { state: "complete" }> };

/** When the client left or this process goes, what was delivered is charged; a provider that broke off is not paid. */
async function breakOff(
  { open, house, watch }: Setting,
  route: Route<LiveStream>,
  { live, end }: Break,
): Promise<void> {
  const isCharged = end.state !== "broken" && live.translation.hasOutput;
  const metered = isCharged ? await meterAnswer(open, live.translation, house) : nothingUsed;
  const problem = problemOf(end);
  const ending = end.state === "broken" ? "failed" : "aborted";
  const { available } = await closeWith(open, house, { ending, metered, route, problem });
  if (problem === undefined) return;
  logFailedCall(house, { ask: open.ask, problem, offer: route.offer });
  watch.end(errorEvent(open, { problem, available, told: watch.told }), "utf8");
}

function problemOf(end: Break["end"]): Problem | undefined {
  switch (end.state) {
    case "broken":
      return end.problem;
    case "cut":
      return new Problem("shutting_down");
    case "gone":
      return undefined;
  }
}
