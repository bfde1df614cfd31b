/**
 * Cases D-04 and D-05 of the test plan: SIGTERM under load. The plan has 100 streams of up to 15 s, and 50 that never end
 * beside 20 clients that never read; here are fewer and shorter ones, on each home.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, suite, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import { ok } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import { eventually } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { trailOf } from "./support/money-trail.ts";
import { streamUntil } from "./support/open-ended.ts";
import { receiptsOf } from "./support/receipts.ts";
import { homes, onHome, stopPostgres } from "./support/restarts.ts";
import type { Place } from "./support/restarts.ts";
import { rawChat } from "./support/stream-reader.ts";
import {
  ask,
  assertChargedAsDelivered,
  assertCut,
  costOf,
  drainMs,
  messages,
  patience,
  startStubborn,
  unhurried,
} from "./support/stubborn-calls.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import type { Asking } from "./support/stubborn-calls.ts";
import { askOn, idleConnection, openConnection, tellToStop } from "./support/told-to-stop.ts";
import type { Stopping } from "./support/told-to-stop.ts";

/** Beyond what the plan allows: machines do other things too. */
const slackMs = 2_000;

// Two at once: most of the time is waiting.
suite("shutdown", { concurrency: 2 }, () => {
  for (const home of homes) {
    test(`D-04 on ${home}: told to stop, it takes nothing new, and what runs ends and is charged in full`, (t) =>
      onHome(home, t, runningCallsEnd));
    test(`D-05 on ${home}: calls that do not end are cut when the time is up, and charged as delivered`, (t) =>
      onHome(home, t, stubbornCallsAreCut));
  }
  test("D-04 a call that waits for its hold when the signal comes ends whole, or is refused", (t) =>
    onHome("PostgreSQL", t, aCallThatBeginsIsNotLost));
  test("D-04 an answer that was paid and is on its way when the signal comes arrives whole", (t) =>
    onHome("the embedded database", t, anAnswerOnItsWayArrives));
  test("D-05 a second SIGTERM ends it at once, and the next start closes what was open", (t) =>
    onHome("the embedded database", t, secondSignalEndsAtOnce));
});
after(stopPostgres);

async function runningCallsEnd({ upstream, start, startClean }: Place): Promise<void> {
  const gateway = await start(unhurried);
  const customer = await gateway.customer();
  const allAreThere = Promise.withResolvers<void>();
  const together =
    (answer: Behaviour): Behaviour =>
    async (call) => {
      await allAreThere.promise;
      await answer(call);
    };
  for (const model of ["m-chat", "m-claude"])
    upstream.script(model, together(ok({ tokens: 200, everyMs: 12 })));
  upstream.script("m-two", together(ok({ tokens: 40, everyMs: 25 })));
  const idle = await idleConnection(gateway);
  const open = await Promise.all(Array.from({ length: 12 }, () => openConnection(gateway)));
  const streams = Array.from({ length: 12 }, (_, index) => {
    const tokens = 40 + 8 * index;
    const model = index % 3 === 0 ? "m-claude" : "m-chat";
    return { tokens, exchange: ask({ gateway, customer }, { model, stream: true, max_tokens: tokens }) };
  });
  const wholes = Array.from({ length: 4 }, () => ({
    tokens: 40,
    exchange: ask({ gateway, customer }, { model: "m-two" }),
  }));
  const calls = [...streams, ...wholes];
  await eventually(() => upstream.open() === calls.length, 10_000);
  allAreThere.resolve();
  await eventually(() => streams.every((one) => one.exchange.deltas > 0), 5_000);

  const { toldAt, ended } = tellToStop(gateway);
  const readiness = async (): Promise<number> => {
    const socket = open.pop();
    assert.ok(socket !== undefined, "it says that it is ready again and again");
    const { status } = await askOn(socket, "/ready");
    return status;
  };
  while ((await readiness()) !== 503) await pause(20);
  assert.ok(performance.now() - toldAt < 200 + slackMs, "/ready is 503");
  await assertNothingNew({ gateway, customer }, open, upstream);
  await eventually(() => idle.destroyed, 500 + slackMs);
  assert.ok(
    calls.some(({ exchange }) => !exchange.isComplete),
    "all that was while calls ran",
  );

  await Promise.all(calls.map(({ exchange }) => exchange.over));
  const lastAt = performance.now();
  for (const { exchange, tokens } of calls) {
    assert.deepEqual([exchange.status, exchange.isComplete, exchange.isBroken], [200, true, false]);
    assert.equal(exchange.text.split("tok ").length - 1, tokens);
  }
  const { code, signal, at } = await ended;
  assert.deepEqual([code, signal], [0, null]);
  assert.ok(at - lastAt < 1_000 + slackMs, `ended ${at - lastAt} ms after the last call`);
  assert.doesNotMatch(gateway.log(), /unhandled|uncaught/i);

  const again = await startClean();
  const trail = await trailOf(again, customer.accountId);
  assert.equal(trail.calls.size, calls.length);
  for (const { exchange, tokens } of calls) {
    const call = trail.calls.get(exchange.callId);
    assert.deepEqual([call?.kinds, call?.loss], [["hold", "settle"], 0n]);
    assert.equal(call?.charged, costOf(tokens));
  }
  for (const receipt of await receiptsOf(again, customer.key, calls.length))
    assert.deepEqual([receipt.ending, receipt.reason], ["done", null]);
  await endsClean(again);
}

/** New connections are refused, or new calls on them; and new calls on those that are open. */
async function assertNothingNew(
  asking: Asking & { readonly gateway: GatewayProcess },
  open: Socket[],
  upstream: FakeUpstream,
): Promise<void> {
  const known = upstream.log.length;
  const { gateway, customer } = asking;
  const newcomer = ask(asking, { model: "m-chat" });
  await newcomer.over;
  assert.ok([0, 503].includes(newcomer.status), `a new connection is answered ${newcomer.status}`);
  const socket = open.pop();
  assert.ok(socket !== undefined);
  const body = { model: "m-chat", messages };
  const refused = await askOn(socket, "/v1/chat/completions", { key: customer.key, body });
  assert.deepEqual([refused.status, JSON.parse(refused.body).error.code], [503, "shutting_down"]);
  assert.match(refused.retryAfter, /^[1-9]\d*$/);
  assert.equal(upstream.log.length, known);
  assert.equal(gateway.process.exitCode, null);
}

async function stubbornCallsAreCut({ upstream, start, startClean }: Place): Promise<void> {
  const gateway = await start(patience);
  const customer = await gateway.customer();
  const stubborn = await startStubborn({ gateway, customer }, upstream);
  const { endless, unanswered, connections } = stubborn;

  const deltasBefore = endless.map((exchange) => exchange.deltas);
  const { toldAt, ended } = tellToStop(gateway);
  const { code, signal, at } = await ended;
  assert.deepEqual([code, signal], [0, null]);
  // The provider sees when each of them was ended: none before the time was up.
  for (const { closedByClientAt = 0 } of upstream.calls("m-chat"))
    assert.ok(closedByClientAt - toldAt >= drainMs - 10, `ended after ${closedByClientAt - toldAt} ms`);
  assert.ok(at - toldAt >= drainMs - 10, `they had only ${at - toldAt} ms`);
  assert.ok(at - toldAt <= drainMs + 2_000 + slackMs, `ended after ${at - toldAt} ms`);
  assert.doesNotMatch(gateway.log(), /unhandled|uncaught/i);
  await Promise.all([...endless, ...unanswered].map((exchange) => exchange.over));
  for (const [index, exchange] of endless.entries()) assertCut(exchange, deltasBefore[index] ?? 0);
  for (const exchange of unanswered)
    assert.deepEqual([exchange.status, exchange.json().error.code], [503, "shutting_down"]);
  for (const socket of connections) socket.destroy();

  const again = await startClean();
  const { calls } = await trailOf(again, customer.accountId);
  assertChargedAsDelivered(calls, stubborn);
  for (const { ending, reason, call_id: callId } of await receiptsOf(again, customer.key, calls.size)) {
    const isUnanswered = unanswered.some((exchange) => exchange.callId === callId);
    assert.deepEqual([ending, reason], [isUnanswered ? "failed" : "aborted", "shutting_down"]);
  }
  await endsClean(again);
}

async function aCallThatBeginsIsNotLost({ upstream, databaseUrl, start, startClean }: Place): Promise<void> {
  const gateway = await start(unhurried);
  const customer = await gateway.customer();
  upstream.script("m-chat", ok({ tokens: 50, everyMs: 25 }));
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  let exchange: ChatExchange;
  let stopping: Stopping;
  try {
    // The hold waits because somebody else has the account's books.
    await database.query("begin");
    await database.query("select from books where account_id = $1 for update", [customer.accountId]);
    exchange = ask({ gateway, customer }, { model: "m-chat", stream: true });
    await waiterFor(database);
    stopping = tellToStop(gateway);
    await eventually(() => gateway.log().includes("shutting down"), 5_000);
  } finally {
    await database.end();
  }

  await exchange.over;
  assert.equal((await stopping.ended).code, 0);
  assert.ok(!exchange.isBroken, `cut off after ${exchange.deltas} of 50 tokens, without a word`);
  if (exchange.status === 200) assert.ok(exchange.isComplete, exchange.text.slice(-300));
  else assert.deepEqual([exchange.status, exchange.json().error.code], [503, "shutting_down"]);
  const again = await startClean();
  const call = (await trailOf(again, customer.accountId)).calls.get(exchange.callId);
  assert.equal(call?.charged ?? 0n, exchange.status === 200 ? costOf(50) : 0n);
  await endsClean(again);
}

async function waiterFor(database: pg.Client): Promise<void> {
  const giveUpAt = performance.now() + 5_000;
  for (;;) {
    const { rows } = await database.query("select from pg_locks where not granted");
    if (rows.length > 0) return;
    assert.ok(performance.now() < giveUpAt, "a hold waits within 5 s");
    await pause(10);
  }
}

/** More than the buffers of two sockets hold, to a client that reads its beginning, and the rest after the signal. */
async function anAnswerOnItsWayArrives({ upstream, start, startClean }: Place): Promise<void> {
  const gateway = await start(unhurried);
  const customer = await gateway.customer();
  const tokens = 60_000;
  upstream.script("m-long", ok({ tokens, text: "x".repeat(400) }));
  const body = { model: "m-long", messages, max_tokens: tokens, stream: false };
  const call = await rawChat(gateway, customer.key, body);
  const { socket } = call;
  socket.once("data", () => socket.pause());
  await eventually(() => call.received().length > 0, 10_000);
  const { ended } = tellToStop(gateway);
  await eventually(() => gateway.log().includes("shutting down"), 5_000);
  socket.resume();
  await call.closed;
  socket.destroy();
  assert.deepEqual(await ended.then(({ code, signal }) => [code, signal]), [0, null]);
  const [head = "", answer = ""] = call.received().toString("latin1").split("\r\n\r\n");
  const announced = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  assert.ok(announced > tokens * 400);
  assert.equal(answer.length, announced, "bytes of the answer");
  const again = await startClean();
  const charged = [...(await trailOf(again, customer.accountId)).calls.values()].map((call) => call.charged);
  assert.deepEqual(charged, [costOf(tokens)]);
  await endsClean(again);
}

async function secondSignalEndsAtOnce({ upstream, start, startClean }: Place): Promise<void> {
  const gateway = await start(unhurried);
  const customer = await gateway.customer();
  upstream.script(
    "m-chat",
    streamUntil(() => false, " hello"),
  );
  const endless = Array.from({ length: 4 }, () =>
    ask({ gateway, customer }, { model: "m-chat", stream: true }),
  );
  await eventually(() => endless.every((exchange) => exchange.deltas > 0), 5_000);
  const { ended } = tellToStop(gateway);
  await eventually(() => gateway.log().includes("shutting down"), 5_000);
  const toldAgainAt = performance.now();
  gateway.process.kill("SIGTERM");
  const { code, at } = await ended;
  assert.equal(code, 1);
  assert.ok(at - toldAgainAt < 500 + slackMs, `ended after ${at - toldAgainAt} ms`);
  await Promise.all(endless.map((exchange) => exchange.over));

  const again = await startClean();
  const { calls } = await trailOf(again, customer.accountId);
  assert.equal(calls.size, endless.length);
  for (const { callId, deltas, isBroken } of endless) {
    assert.ok(isBroken);
    const call = calls.get(callId);
    assert.ok(call !== undefined && call.kinds.length === 2);
    assert.ok(call.charged <= costOf(deltas), `${call.charged} for ${deltas} tokens`);
  }
  for (const { ending } of await receiptsOf(again, customer.key, 4)) assert.equal(ending, "recovered");
  await endsClean(again);
}
