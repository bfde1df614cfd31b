import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnableClock } from "../core/clock.ts";
import type { Offer, Provider } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { firstThatAnswers } from "./first-that-answers.ts";
import type { Attempt } from "./first-that-answers.ts";
import { healthOf } from "./health.ts";
import { rank } from "./rank.ts";

function offerOf(id: string): Offer {
  const provider: Provider = {
    id,
    name: id,
    wire: "openai-chat",
    baseUrl: undefined,
    runBaseUrl: undefined,
    headers: {},
    keyVariable: undefined,
    settings: [],
    trustedHosts: [],
    auth: undefined,
    accepts: undefined,
    extraParameters: [],
    maxTokensField: "max_tokens",
    quirks: { noDeveloperRole: false, reasoningOutsideCompletion: false, strictMessages: false },
    doc: undefined,
  };
  return { provider, upstreamModel: "m", price: [], maxTokensField: "max_tokens" };
}

const first = offerOf("first");
const second = offerOf("second");
const offers = [first, second] as const;

function failed(more: Partial<Extract<Attempt<string>, { state: "failed" }>> = {}): Attempt<string> {
  return {
    state: "failed",
    problem: new Problem("upstream_error"),
    tryNext: true,
    tryAgain: false,
    unhealthy: true,
    ...more,
  };
}

/** Answers by the offers' names, and writes down who was asked. */
function script(answers: Readonly<Record<string, readonly Attempt<string>[]>>) {
  const asked: string[] = [];
  const attempt = (offer: Offer): Promise<Attempt<string>> => {
    const { id } = offer.provider;
    const turn = asked.filter((one) => one === id).length;
    asked.push(id);
    return Promise.resolve(answers[id]?.[turn] ?? failed());
  };
  return { asked, attempt };
}

const answered: Attempt<string> = { state: "answered", answer: "hello" };

test("when the first offer fails the second answers", async () => {
  const { asked, attempt } = script({ second: [answered] });
  const route = await firstThatAnswers(offers, healthOf(new TurnableClock()), attempt);
  assert.deepEqual(asked, ["first", "second"]);
  assert.equal(route.offer, second);
  assert.deepEqual(route.outcome, { answer: "hello" });
});

test("a failed offer comes last for five seconds and first again afterwards", async () => {
  const clock = new TurnableClock();
  const health = healthOf(clock);
  await firstThatAnswers(offers, health, script({ second: [answered] }).attempt);
  assert.deepEqual(rank(offers, health), [second, first]);
  clock.turn({ seconds: 5 });
  assert.deepEqual(rank(offers, health), [first, second]);
});

test("a provider that asks for a longer rest gets it, within a minute", async () => {
  const clock = new TurnableClock();
  const health = healthOf(clock);
  health.failed("first/m", 30);
  health.failed("second/m", 100_000);
  clock.turn({ seconds: 29 });
  assert.equal(health.resting("first/m"), true);
  clock.turn({ seconds: 31 });
  assert.equal(health.resting("first/m"), false);
  assert.equal(health.resting("second/m"), false);
});

test("an offer that rests is asked when all others fail: it may be well again", async () => {
  const health = healthOf(new TurnableClock());
  await firstThatAnswers(offers, health, script({ second: [answered] }).attempt);
  const { asked, attempt } = script({ first: [answered] });
  const route = await firstThatAnswers(offers, health, attempt);
  assert.deepEqual(asked, ["second", "first"]);
  assert.equal(route.offer, first);
});

test("U-05 when every offer rests, one is asked and the last is never refused", async () => {
  const health = healthOf(new TurnableClock());
  for (let call = 0; call < 10; call += 1) {
    const { asked, attempt } = script({});
    const route = await firstThatAnswers(offers, health, attempt);
    assert.ok("problem" in route.outcome);
    assert.equal(asked.length, call === 0 ? 2 : 1);
  }
});

test("a refused or reset connection is tried once more on the same offer, and only once", async () => {
  const { asked, attempt } = script({
    first: [failed({ tryAgain: true }), failed({ tryAgain: true })],
    second: [answered],
  });
  const route = await firstThatAnswers(offers, healthOf(new TurnableClock()), attempt);
  assert.deepEqual(asked, ["first", "first", "second"]);
  assert.equal(route.attempts, 3);
});

test("a request that the provider refuses as invalid is not offered to anybody else", async () => {
  const health = healthOf(new TurnableClock());
  const { asked, attempt } = script({ first: [failed({ tryNext: false, unhealthy: false })] });
  await firstThatAnswers(offers, health, attempt);
  assert.deepEqual(asked, ["first"]);
  assert.equal(health.resting("first/m"), false);
});
