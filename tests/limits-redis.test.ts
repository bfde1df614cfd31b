/**
 * Cases L-01 to L-05 and L-08 of the test plan with two gateways that share one Redis and one PostgreSQL: `one` is where
 * calls end, `other` where it must be seen.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { redisKeys } from "../src/limits/redis-scripts.ts";
import { callExits, exitEnvironment, exitModel, exitModels } from "./support/call-exits.ts";
import type { CallExit } from "./support/call-exits.ts";
import { hello, startChat } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import { noUsage, ok } from "./support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { FlowingStreams } from "./support/flowing-streams.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
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
} from "./support/limit-answers.ts";
import { trailOf } from "./support/money-trail.ts";
import { planned } from "./support/plan-scale.ts";
import { startPostgres } from "./support/postgres.ts";
import { startRedis } from "./support/redis.ts";

/** What ends with the file, last made first. */
const ends: (() => Promise<unknown>)[] = [];
let skipped: string | undefined;
let upstream: FakeUpstream;
let one: Gateway;
let other: Gateway;
let redis: Redis;

before(async () => {
  const [postgres, server] = await Promise.all([startPostgres(), startRedis({ isPrivate: true })]);
  if (!("skipped" in postgres)) ends.unshift(() => postgres.stop());
  if (!("skipped" in server)) ends.unshift(() => server.stop());
  if ("skipped" in postgres || "skipped" in server) {
    skipped = "skipped" in postgres ? postgres.skipped : "skipped: no Redis binaries";
    return;
  }
  redis = new Redis(server.url);
  ends.unshift(() => redis.quit());
  upstream = await startFakeUpstream();
  ends.unshift(() => upstream.stop());
  const options = {
    ...{ p1: upstream.baseUrl, a1: upstream.origin, moreModels: exitModels() },
    ...{ databaseUrl: await postgres.freshDatabase(), redisUrl: server.url, environment: exitEnvironment },
  };
  one = await startGatewayProcess(options);
  ends.unshift(() => endsClean(one));
  other = await startGatewayProcess(options);
  ends.unshift(() => endsClean(other));
  // The first call of a process is slower than all others, and so is the first whose tokens are counted here.
  upstream.script("m-free", noUsage({ tokens: 1 }));
  const { key } = await one.customer();
  for (const gateway of [one, other])
    for (const model of ["m-chat", "m-free"]) await askWithLimits(gateway, key, { model, stream: true });
});
beforeEach(() => {
  if (skipped === undefined) upstream.clear();
});
after(async () => {
  const faults: unknown[] = [];
  for (const end of ends) await end().catch((fault: unknown) => faults.push(fault));
  if (faults.length > 0) throw new AggregateError(faults);
});

function guarantee(name: string, check: () => Promise<void>): void {
  test(name, (context) => (skipped === undefined ? check() : context.skip(skipped)));
}

/** The calls of a key that Redis counts as open. */
const openInRedis = (keyId: string): Promise<number> => redis.zcard(redisKeys(keyId).open);

const freeWithinMs = 1_000;

/** Asked again and again, because a gateway tells Redis of an end, and the client, at the same time. */
async function allLeave(keyId: string): Promise<void> {
  const giveUpAt = performance.now() + freeWithinMs;
  while ((await openInRedis(keyId)) > 0) {
    assert.ok(performance.now() < giveUpAt, `places are still taken after ${freeWithinMs} ms`);
    await wait(5);
  }
}

const startStream = (gateway: Gateway, key: string): ChatExchange =>
  startChat({ url: gateway.url, key, body: { model: "m-chat", messages: hello, stream: true } });

for (const round of [1, 2, 3]) {
  const calls = planned({ whole: 200, quick: 100 });
  guarantee(
    `L-01 of ${calls} calls at once on two gateways exactly ten are admitted, time ${round}`,
    async () => {
      const accountId = await accountOn(one, { plan: "free", credits: "10.00" });
      const { key, keyId } = await newKey(one, accountId, { limits: { concurrent_requests: 500 } });
      const answers = await askAtOnce(calls, [one, other], key);
      assert.equal(answers.filter((answer) => answer.status === 200).length, 10);
      const refused = answers.filter((answer) => answer.status !== 200);
      assert.equal(refused.length, calls - 10);
      for (const answer of refused) assertRateRefusal(answer);
      assert.equal(upstream.log.length, 10);
      assert.equal((await trailOf(other, accountId)).calls.size, 10);
      for (const gateway of [one, other]) {
        assert.equal((await minuteOf(gateway, key)).remaining, 0);
        assertRateRefusal(await askWithLimits(gateway, key));
      }
      assert.equal(await redis.llen(redisKeys(keyId).minute), 10);
      await allLeave(keyId);
    },
  );
}

guarantee(
  "L-02 of 50 streams at once on two gateways exactly two run, wherever the next is asked",
  async () => {
    const { key, keyId } = await one.customer({ concurrent: 2, rpm: 1000 });
    const streams = new FlowingStreams();
    upstream.script("m-chat", streams.behaviour);
    const all = Array.from({ length: 50 }, (_, index) => startStream(index % 2 === 0 ? one : other, key));
    await Promise.all(all.map((exchange) => exchange.answered));
    let running = all.filter((exchange) => exchange.status === 200);
    assert.equal(running.length, 2);
    const codes = new Set(await Promise.all(all.map(outcomeOf)));
    assert.deepEqual(codes, new Set(["admitted", "concurrency_limit_exceeded"]));
    for (let count = 0; count < 6; count += 1) {
      await eventually(() => streams.running === 2);
      for (const gateway of [one, other]) assertConcurrencyRefusal(await askWithLimits(gateway, key));
      streams.endOne();
      await Promise.race(running.map((exchange) => exchange.over));
      running = running.filter((exchange) => !exchange.isComplete);
      assert.equal(running.length, 1);
      running.push(await firstAdmitted(count % 2 === 0 ? one : other, key));
    }
    await eventually(() => streams.running === 2);
    assert.equal(upstream.maxOverlap, 2);
    streams.endAll();
    await Promise.all(running.map((exchange) => exchange.over));
    await allLeave(keyId);
  },
);

/** The call that has a place which has just become free. */
async function firstAdmitted(gateway: Gateway, key: string): Promise<ChatExchange> {
  const withinMs = planned({ whole: 100, quick: freeWithinMs });
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const exchange = startStream(gateway, key);
    const outcome = await outcomeOf(exchange);
    if (outcome === "admitted") return exchange;
    assert.equal(outcome, "concurrency_limit_exceeded");
    assert.ok(performance.now() < giveUpAt, `a place was not free within ${withinMs} ms`);
  }
}

/** The plan has 100 rounds of all ways together. */
const roundsOf = ({ isSlow }: CallExit): number =>
  isSlow === true ? planned({ whole: 10, quick: 1 }) : planned({ whole: 100, quick: 3 });

async function checkExit(exit: CallExit): Promise<void> {
  const model = exitModel(exit);
  const { key, keyId } = await one.customer({ concurrent: 2, rpm: 1000 });
  upstream.script(model, exit.behaviour ?? ok());
  let counted = 0;
  for (let round = 0; round < roundsOf(exit); round += 1) {
    await Promise.all(exit.calls.map((call) => call({ gateway: one, upstream, key, model })));
    if (exit.behaviour !== undefined) counted += exit.calls.length;
    await allLeave(keyId);
    for (const answer of await askAtOnce(2, [other], key)) assert.equal(answer.status, 200);
    await allLeave(keyId);
    counted += 2;
  }
  assert.equal((await minuteOf(other, key)).remaining, 1000 - counted);
  assert.equal((await minuteOf(one, key)).remaining, 1000 - counted);
}

for (const exit of callExits) {
  const counts = exit.behaviour === undefined ? "uses up nothing of the minute" : "counts as one call";
  guarantee(`L-03 the other gateway has the place after ${exit.name}, which ${counts}`, () =>
    checkExit(exit),
  );
}

guarantee("L-04 what one gateway refuses uses up nothing of the minute at the other", async () => {
  const { key, keyId } = await one.customer({ rpm: 10, concurrent: 1 });
  const streams = new FlowingStreams();
  upstream.script("m-chat", streams.behaviour);
  const long = startStream(one, key);
  await long.answered;
  assert.equal(long.status, 200);
  for (const answer of await askAtOnce(30, [one, other], key)) {
    assertConcurrencyRefusal(answer);
    assert.equal(answer.told.remaining, 9);
  }
  streams.endAll();
  await long.over;
  for (const gateway of [one, other, one, other, one]) {
    const invalid = await askWithLimits(gateway, key, { messages: [] });
    assert.deepEqual([invalid.status, invalid.told.remaining], [400, 9]);
  }
  upstream.script("m-chat", ok());
  for (let left = 8; left >= 0; left -= 1) {
    await allLeave(keyId);
    const answer = await askWithLimits(left % 2 === 0 ? one : other, key);
    assert.deepEqual([answer.status, answer.told.remaining], [200, left]);
  }
  for (const gateway of [one, other]) assertRateRefusal(await askWithLimits(gateway, key));
  assert.equal(upstream.log.length, 10);
});

guarantee("L-05 a key that is used up on both gateways leaves the others of its account alone", async () => {
  const accountId = await accountOn(one, { plan: "free", credits: "10.00" });
  const first = await newKey(one, accountId, { limits: { concurrent_requests: 500 } });
  const second = await newKey(other, accountId, { limits: { concurrent_requests: 500 } });
  const third = await newKey(one, accountId);
  await askAtOnce(20, [one, other], first.key);
  for (const gateway of [one, other]) {
    assertRateRefusal(await askWithLimits(gateway, first.key));
    for (const { key } of [second, third]) assert.equal((await minuteOf(gateway, key)).remaining, 10);
  }
  const answers = await askAtOnce(20, [one, other], second.key);
  assert.equal(answers.filter((answer) => answer.status === 200).length, 10);
  // 20 calls of 100 tokens in at 2.5 µcr and 20 out at 10.
  for (const gateway of [one, other])
    for (const { key } of [first, second, third]) {
      const { body } = await gateway.get(key, "/v1/balance");
      assert.deepEqual([body.available, body.held], ["9.991000", "0.000000"]);
    }
});

guarantee("L-08 both gateways tell the same minute, and it is what the next call finds", async () => {
  const { key } = await one.customer({ rpm: 20, concurrent: 50 });
  let left = 20;
  for (let count = 0; count < planned({ whole: 100, quick: 50 }); count += 1) {
    // Neither in turn nor always in the same order.
    const gateway = count % 3 === 0 ? one : other;
    const isRefused = count % 4 === 3;
    const answer = await askWithLimits(gateway, key, isRefused ? { max_tokens: 0 } : {});
    if (isRefused) assert.equal(answer.status, 400);
    else if (left === 0) assertRateRefusal(answer);
    else {
      assert.equal(answer.status, 200);
      left -= 1;
    }
    const minutes = [answer.told, await minuteOf(one, key), await minuteOf(other, key)];
    for (const told of minutes) {
      assert.deepEqual([told.limit, told.remaining], [20, left]);
      assert.ok(told.resetSeconds >= 1 && told.resetSeconds <= 60, `${told.resetSeconds} s`);
    }
  }
  assert.equal(left, 0);
});
