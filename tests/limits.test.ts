/**
 * Cases L-01 to L-05 and L-08 of the test plan, with limits in memory: the whole walk of a call, from the door to the
 * place that is given back. limits-redis.test.ts has two gateways on one Redis. L-06 and L-07 are not here.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { callExits, exitEnvironment, exitModel, exitModels } from "./support/call-exits.ts";
import type { CallExit } from "./support/call-exits.ts";
import { hello, startChat } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import { noUsage, ok, status } from "./support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { FlowingStreams, startFlow } from "./support/flowing-streams.ts";
import type { Flow } from "./support/flowing-streams.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import {
  accountOn,
  askAtOnce,
  askWithLimits,
  assertConcurrencyRefusal,
  assertRateRefusal,
  minuteOf,
  newKey,
  outcomeOf,
  wantKey,
} from "./support/limit-answers.ts";
import { trailOf } from "./support/money-trail.ts";
import { planned } from "./support/plan-scale.ts";
import { perMillion } from "./support/priced-usage.ts";
import { ToldMinute } from "./support/told-minute.ts";

let upstream: FakeUpstream;
let gateway: Gateway;

before(async () => {
  upstream = await startFakeUpstream();
  const fixed = perMillion({ fresh: "0", cached: "0", output: "500" });
  gateway = await startGateway({
    ...{ p1: upstream.baseUrl, a1: upstream.origin, environment: exitEnvironment },
    moreModels: { ...exitModels(), "m-fix": fixed },
  });
  // The first call of a process is slower than all others, and so is the first whose tokens are counted here.
  upstream.script("m-free", noUsage({ tokens: 1 }));
  const { key } = await gateway.customer();
  for (const model of ["m-chat", "m-free"]) await askWithLimits(gateway, key, { model, stream: true });
});
beforeEach(() => upstream.clear());
after(() => endsClean(gateway, upstream));

const startStream = (key: string): ChatExchange =>
  startChat({ url: gateway.url, key, body: { model: "m-chat", messages: hello, stream: true } });

const flowing = (count: number, key: string, model = "m-chat"): Promise<Flow> =>
  startFlow({ gateway, upstream, key, model }, count);

test("L-01 of 200 calls at once exactly the ten of the plan reach the provider", async () => {
  const accountId = await accountOn(gateway, { plan: "free", credits: "10.00" });
  const { key } = await newKey(gateway, accountId, { limits: { concurrent_requests: 500 } });
  const answers = await askAtOnce(200, [gateway], key);
  const failed = answers.filter(({ status }) => status !== 200 && status !== 429);
  assert.deepEqual(
    failed.map(({ status, text }) => [status, text]),
    [],
  );
  const served = answers.filter((answer) => answer.status === 200);
  const remaining = served.map(({ told }) => told.remaining).toSorted((a, b) => b - a);
  assert.deepEqual(remaining, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  const refused = answers.filter((answer) => answer.status !== 200);
  assert.equal(refused.length, 190);
  for (const answer of refused) assertRateRefusal(answer);
  for (const { told } of answers) assert.equal(told.limit, 10);
  assert.equal(upstream.log.length, 10);
  assert.equal((await trailOf(gateway, accountId)).calls.size, 10);
});

test("L-02 of 50 streams at once exactly two run, and each that ends makes room for one", async () => {
  const { key } = await gateway.customer({ concurrent: 2, rpm: 1000 });
  const streams = new FlowingStreams();
  upstream.script("m-chat", streams.behaviour);
  const all = Array.from({ length: 50 }, () => startStream(key));
  await Promise.all(all.map((exchange) => exchange.answered));
  let running = all.filter((exchange) => exchange.status === 200);
  assert.equal(running.length, 2);
  assert.equal(all.filter((exchange) => exchange.status === 429).length, 48);
  await eventually(() => streams.running === 2);
  for (let count = 0; count < 10; count += 1) {
    streams.endOne();
    await Promise.race(running.map((exchange) => exchange.over));
    assert.equal(running.filter((exchange) => exchange.isComplete).length, 1);
    // The plan allows 100 ms: here the first that asks once the end was seen is let in.
    const [next, tooMany] = [startStream(key), startStream(key)];
    const outcomes = await Promise.all([next, tooMany].map(outcomeOf));
    assert.deepEqual(outcomes.toSorted(), ["admitted", "concurrency_limit_exceeded"]);
    running = [...running, next, tooMany].filter(({ status: of, isComplete }) => of === 200 && !isComplete);
    await eventually(() => streams.running === 2);
  }
  assertConcurrencyRefusal(await askWithLimits(gateway, key));
  assert.equal(upstream.maxOverlap, 2);
  assert.equal(upstream.log.length, 12);
  streams.endAll();
  await Promise.all(running.map((exchange) => exchange.over));
});

/** Two ordinary calls at once, again and again where the end of those before was not seen. Answers how many counted. */
async function takesBothPlaces(key: string, withinMs: number): Promise<number> {
  const giveUpAt = performance.now() + withinMs;
  for (let counted = 0; ;) {
    const answers = await askAtOnce(2, [gateway], key);
    const served = answers.filter((answer) => answer.status === 200);
    counted += served.length;
    if (served.length === 2) return counted;
    for (const answer of answers) if (answer.status !== 200) assertConcurrencyRefusal(answer);
    assert.ok(performance.now() < giveUpAt, `a place was not free within ${withinMs} ms`);
  }
}

/** The plan has 100 rounds of all ways together. */
const roundsOf = ({ isSlow }: CallExit): number =>
  isSlow === true ? planned({ whole: 10, quick: 3 }) : planned({ whole: 100, quick: 7 });

async function checkExit(exit: CallExit): Promise<void> {
  const model = exitModel(exit);
  const { key } = await gateway.customer({ concurrent: 2, rpm: 1000 });
  upstream.script(model, exit.behaviour ?? ok());
  let counted = 0;
  for (let round = 0; round < roundsOf(exit); round += 1) {
    await Promise.all(exit.calls.map((call) => call({ gateway, upstream, key, model })));
    if (exit.behaviour !== undefined) counted += exit.calls.length;
    counted += await takesBothPlaces(key, exit.isUnseen === true ? 1_000 : 0);
  }
  assert.equal((await minuteOf(gateway, key)).remaining, 1000 - counted);
  // Exactly two: a place that was given back twice would be a third.
  const running = await flowing(2, key, model);
  assertConcurrencyRefusal(await askWithLimits(gateway, key));
  await running.end();
  await nothingRuns();
}

/** Asked again and again, because a client sees an end a moment before the call is over. */
async function nothingRuns(): Promise<void> {
  const giveUpAt = performance.now() + 1_000;
  for (;;) {
    const { body } = await gateway.admin("GET", "/health");
    if (body.open_calls === 0) return;
    assert.ok(performance.now() < giveUpAt, `${body.open_calls} calls still run`);
  }
}

for (const exit of callExits) {
  const counts = exit.behaviour === undefined ? "uses up nothing of the minute" : "counts as one call";
  test(`L-03 a place is free again after ${exit.name}, which ${counts}`, () => checkExit(exit));
}

test("L-04 what is refused uses up nothing of the minute: nine more calls after a stream and 35 refusals", async () => {
  const { key } = await gateway.customer({ rpm: 10, concurrent: 1 });
  const stream = await flowing(1, key);
  for (const answer of await askAtOnce(30, [gateway], key)) {
    assertConcurrencyRefusal(answer);
    assert.equal(answer.told.remaining, 9);
  }
  await stream.end();
  for (const body of ["{", "[]", "{}", '{"model":"m-chat","messages":[]}', '{"model":"m-chat"}']) {
    const answer = await askWithLimits(gateway, key, {}, { body });
    assert.equal(answer.status, 400);
    assert.equal(answer.told.remaining, 9);
  }
  upstream.script("m-chat", ok());
  for (let left = 8; left >= 0; left -= 1) {
    const answer = await askWithLimits(gateway, key);
    assert.deepEqual([answer.status, answer.told.remaining], [200, left]);
  }
  assertRateRefusal(await askWithLimits(gateway, key));
  assert.equal(upstream.log.length, 10);
});

// The plan's account has three keys and room for no fourth: ours has room for ten, see below.
test("L-05 what one key used up of its minute and its places, other keys of the account still have", async () => {
  const accountId = await accountOn(gateway, { plan: "free", credits: "10.00" });
  const first = await newKey(gateway, accountId);
  const others = [await newKey(gateway, accountId), await newKey(gateway, accountId)];
  const streams = await flowing(2, first.key);
  upstream.script("m-chat", ok());
  for (const { key } of others) assert.equal((await askWithLimits(gateway, key)).told.remaining, 9);
  await streams.end();
  for (let count = 2; count < 10; count += 1)
    assert.equal((await askWithLimits(gateway, first.key)).status, 200);
  assertRateRefusal(await askWithLimits(gateway, first.key));
  for (const { key } of others) {
    assert.equal((await minuteOf(gateway, key)).remaining, 9);
    for (let left = 8; left >= 0; left -= 1)
      assert.equal((await askWithLimits(gateway, key)).told.remaining, left);
    assertRateRefusal(await askWithLimits(gateway, key));
  }
});

test("L-05 keys with limits of one account share its credits, to the last", async () => {
  const { accountId, key } = await gateway.customer({ credits: "0.40", rpm: 10 });
  const keys = [key, (await newKey(gateway, accountId)).key, (await newKey(gateway, accountId)).key];
  // A call costs a tenth of a credit.
  upstream.script("m-fix", ok({ tokens: 10 }));
  const ask = (by: string) => askWithLimits(gateway, by, { model: "m-fix", max_tokens: 10 });
  for (const [index, left] of ["0.300000", "0.200000", "0.100000", "0.000000"].entries()) {
    assert.equal((await ask(keys[index % 3] ?? key)).status, 200);
    for (const one of keys) {
      const { body } = await gateway.get(one, "/v1/balance");
      assert.deepEqual([body.available, body.held], [left, "0.000000"]);
    }
  }
  for (const one of keys) assert.equal((await ask(one)).error.code, "insufficient_balance");
});

test("L-05 each plan gives its requests per minute and its calls at once to every key, test keys too", async () => {
  for (const [plan, perMinute, atOnce] of [
    ["free", 10, 2],
    ["starter", 60, 10],
  ] as const) {
    const accountId = await accountOn(gateway, { plan, credits: "10.00" });
    for (const mode of ["live", "test"] as const) {
      const { key } = await newKey(gateway, accountId, { mode });
      const untouched = { limit: perMinute, remaining: perMinute, resetSeconds: 0 };
      assert.deepEqual(await minuteOf(gateway, key), untouched);
    }
    const { key } = await newKey(gateway, accountId);
    const streams = await flowing(atOnce, key);
    assertConcurrencyRefusal(await askWithLimits(gateway, key));
    await streams.end();
  }
});

test("L-05 a free account has ten keys, live and test together; a revoked one makes room for one", async () => {
  const accountId = await accountOn(gateway, { plan: "free", credits: "10.00" });
  const keys = [];
  for (let count = 0; count < 10; count += 1)
    keys.push(await newKey(gateway, accountId, { mode: count % 2 === 0 ? "live" : "test" }));
  const refuses = async (): Promise<void> => {
    for (const mode of ["live", "test"] as const) {
      const { status: refusal, body } = await wantKey(gateway, accountId, { mode });
      assert.deepEqual([refusal, body.error.code], [409, "key_limit_reached"]);
      assert.equal(body.error.type, "invalid_request_error");
      assert.equal("key" in body, false);
    }
    assert.equal((await gateway.admin("GET", `/accounts/${accountId}/keys`)).body.data.length, 10);
  };
  await refuses();
  assert.equal((await gateway.admin("DELETE", `/keys/${keys[0]?.keyId}`)).status, 204);
  await newKey(gateway, accountId);
  await refuses();
  assert.equal((await gateway.admin("PATCH", `/accounts/${accountId}`, { plan: "starter" })).status, 200);
  await newKey(gateway, accountId);
});

test("L-05 keys that are made at once do not pass the plan's number", async () => {
  const accountId = await accountOn(gateway, { plan: "free", credits: "10.00" });
  while ((await gateway.admin("GET", `/accounts/${accountId}/keys`)).body.data.length < 8)
    await newKey(gateway, accountId);
  const answers = await Promise.all(Array.from({ length: 20 }, () => wantKey(gateway, accountId)));
  assert.equal(answers.filter((answer) => answer.status === 201).length, 2);
  assert.equal((await gateway.admin("GET", `/accounts/${accountId}/keys`)).body.data.length, 10);
});

test("L-08 over 100 mixed requests the headers are what the next call finds", async () => {
  const minute = new ToldMinute(30);
  const { key } = await gateway.customer({ rpm: 30, concurrent: 1 });
  upstream.script("m-two", status(500));
  const refused = [{ messages: [] }, { model: 1 }, { max_tokens: 0 }, { padding: "x".repeat(70_000) }];
  const admitting = [{ stream: true }, {}, { model: "m-two" }];
  for (let count = 0; count < 100; count += 1) {
    if (count % 10 === 5 && !minute.isFull) await crowd(key, minute);
    const isRefused = count % 2 === 0;
    const changes = isRefused ? refused : admitting;
    const answer = await askWithLimits(gateway, key, changes[(count >> 1) % changes.length]);
    if (isRefused) assert.ok([400, 413].includes(answer.status), answer.text);
    else if (minute.isFull) minute.checkRefusal(answer);
    else {
      assert.ok([200, 502].includes(answer.status), answer.text);
      minute.admitted(answer);
    }
    minute.check(answer);
    assert.equal((await minuteOf(gateway, key)).remaining, answer.told.remaining);
  }
  assert.ok(minute.isFull);
});

/** A call beside a stream, on a key for one call at once. */
async function crowd(key: string, minute: ToldMinute): Promise<void> {
  const sentAt = performance.now();
  const stream = await flowing(1, key, "m-free");
  const endedAt = performance.now();
  const beside = await askWithLimits(gateway, key);
  assertConcurrencyRefusal(beside);
  minute.admitted({ ...beside, sentAt, endedAt });
  minute.check(beside);
  await stream.end();
}

test("L-08 a call that is refused after it was let in tells the minute without itself", async () => {
  const { key } = await gateway.customer({ rpm: 5 });
  const audio = [{ type: "input_audio", input_audio: { data: "", format: "mp3" } }];
  const untold = { model: "m-claude", messages: [{ role: "user", content: audio }] };
  for (const change of [{ model: "m-dear" }, untold]) {
    const answer = await askWithLimits(gateway, key, change);
    assert.ok([402, 400].includes(answer.status));
    const untouched = { limit: 5, remaining: 5, resetSeconds: 0 };
    assert.deepEqual(await minuteOf(gateway, key), untouched);
    assert.deepEqual(answer.told, untouched);
  }
});

test("L-08 a call of a model that the key cannot have is told its minute as well", async () => {
  const { key } = await gateway.customer({ rpm: 5, models: ["m-chat", "gpt-4o-mini"] });
  for (const [model, code] of [
    ["m-nowhere", "model_not_found"],
    ["m-two", "model_not_allowed"],
    ["gpt-4o-mini", "provider_not_configured"],
  ] as const) {
    const answer = await askWithLimits(gateway, key, { model });
    assert.equal(answer.error.code, code);
    assert.equal(answer.told.remaining, 5);
  }
});
