/**
 * Case K-01 of the test plan: the gateway is killed again and again in the middle of its work. The plan has 100 cycles of
 * 64-way traffic; here are 20 on each home, with 16 clients, and mostly short ones.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startChat } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import type { Customer, Gateway } from "./support/gateway.ts";
import { quietAudit, trailOf } from "./support/money-trail.ts";
import { startPostgres } from "./support/postgres.ts";
import { promptTelling, referenceCost, reportsAsTold } from "./support/priced-usage.ts";
import { seededRandom } from "./support/seeded-random.ts";

const cycles = 20;
const clients = 16;
const accounts = 5;
const granted = 1_000_000_000n;
const chatPrices = { fresh: "0.125", cached: "0.0125", output: "0.5" };
const emittedTokens = 12;

/** One call that a client made, and what it costs if it ends well. */
type Made = { readonly account: number; readonly exchange: ChatExchange; readonly cost: bigint };

// Both at once: starting again is most of the time, and uses one core.
suite("K-01", { concurrency: 2 }, () => {
  test("K-01 after every kill -9 who saw the end paid exactly once, on the embedded database", async (t) => {
    await killAgainAndAgain(t, undefined);
  });

  test("K-01 after every kill -9 who saw the end paid exactly once, on PostgreSQL", async (t) => {
    const postgres = await startPostgres();
    if ("skipped" in postgres) {
      t.skip(postgres.skipped);
      return;
    }
    t.after(() => postgres.stop());
    await killAgainAndAgain(t, await postgres.freshDatabase());
  });
});

async function killAgainAndAgain(t: TestContext, databaseUrl: string | undefined): Promise<void> {
  const random = seededRandom(databaseUrl === undefined ? 11 : 12);
  const upstream = await startFakeUpstream();
  upstream.script("m-chat", reportsAsTold({ tokens: emittedTokens, everyMs: 3, afterMs: 5 }));
  const settings = { p1: upstream.baseUrl, databaseUrl };
  let gateway = await startGateway(settings);
  const { directory } = gateway;
  t.after(async () => {
    await gateway.kill9();
    await upstream.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const customers: Customer[] = [];
  while (customers.length < accounts) customers.push(await gateway.customer({ credits: "1000.00" }));
  const made: Made[] = [];
  const readyAfterMs: number[] = [];

  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const traffic = startTraffic({ gateway, customers, made, random });
    await wait(50 + random() ** 4 * 1_450);
    await gateway.kill9();
    await traffic.stop();
    const killedAt = performance.now();
    gateway = await startGateway({ ...settings, directory });
    assert.equal((await fetch(`${gateway.url}/ready`)).status, 200);
    readyAfterMs.push(performance.now() - killedAt);
  }

  const startedAt = performance.now();
  await quietAudit(gateway);
  t.diagnostic(`nothing on hold ${Math.round(performance.now() - startedAt)} ms after the last start`);
  await assertPaidOnce({ gateway, customers, upstream, made });
  const complete = made.filter(({ exchange }) => exchange.isComplete).length;
  const sorted = readyAfterMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
  t.diagnostic(
    `${made.length} calls, ${complete} seen to their end; ready again after ${Math.round(median)} ms (median)`,
  );
  assert.ok(complete > cycles, "most cycles let some calls end");
  assert.ok(complete < made.length, "some calls were cut");
  // The plan's 5 s, three times that for machines that do other things too.
  assert.ok(median < 15_000, `ready after ${median} ms`);
  await endsClean(gateway);
}

type Setting = {
  readonly gateway: Gateway;
  readonly customers: readonly Customer[];
  readonly made: Made[];
  readonly random: () => number;
};

/** Clients that call without a pause, whole and streamed; every fifth leaves before the end. */
function startTraffic(setting: Setting): { stop(): Promise<void> } {
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) await oneCall(setting);
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    stop: async () => {
      isOver = true;
      await running;
    },
  };
}

async function oneCall({ gateway, customers, made, random }: Setting): Promise<void> {
  const account = Math.floor(random() * customers.length);
  const customer = customers[account];
  assert.ok(customer !== undefined);
  const told = {
    fresh: 100 + Math.floor(random() * 400),
    cached: Math.floor(random() * 100),
    output: emittedTokens + 1 + Math.floor(random() * 200),
  };
  const messages = [{ role: "user", content: `${promptTelling(told)} account-${account}.` }];
  const exchange = startChat({
    url: gateway.url,
    key: customer.key,
    body: { model: "m-chat", messages, stream: random() < 0.5, max_tokens: 400 },
  });
  made.push({ account, exchange, cost: referenceCost(chatPrices, told) });
  if (random() < 0.2) {
    await Promise.race([exchange.over, wait(random() * 60)]);
    exchange.leave(random() < 0.5 ? "FIN" : "RST");
  }
  await exchange.over;
}

type Outcome = Omit<Setting, "random"> & { readonly upstream: FakeUpstream };

async function assertPaidOnce({ gateway, customers, upstream, made }: Outcome): Promise<void> {
  for (const [account, customer] of customers.entries()) {
    const trail = await trailOf(gateway, customer.accountId);
    const own = made.filter((one) => one.account === account);
    for (const { exchange, cost } of own) {
      const call = trail.calls.get(exchange.callId);
      if (exchange.isComplete) {
        assert.deepEqual(call?.kinds, ["hold", "settle"], `${exchange.callId} was seen to its end`);
        assert.equal(call?.charged, cost);
      } else if (call !== undefined)
        assert.ok(call.charged <= cost, `${exchange.callId} was charged too much`);
      if (exchange.status === 402 || exchange.status === 429) assert.fail(exchange.text);
    }
    const charged = [...trail.calls.values()].filter((call) => call.charged > 0n);
    const served = upstream.log.filter((record) => record.bytes.includes(`account-${account}.`));
    assert.ok(charged.length <= served.length, `${charged.length} charges, ${served.length} calls served`);
    const sum = charged.reduce((total, call) => total + call.charged, 0n);
    assert.deepEqual([trail.available, trail.held], [granted - sum, 0n]);
    const { body } = await gateway.get(customer.key, "/v1/balance");
    assert.equal(BigInt(body.available.replace(".", "")), granted - sum);
  }
}
