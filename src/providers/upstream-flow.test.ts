import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { silentLog } from "../core/log.ts";
import { CollectedAnswer } from "../../tests/support/collected-answer.ts";
import {
  flood,
  hangBeforeHeaders,
  headersThenSilence,
  ok,
  raw,
  resetAfter,
  tokensThenSilence,
} from "../../tests/support/fake-behaviours.ts";
import type { Behaviour } from "../../tests/support/fake-behaviours.ts";
import type { CallRecord } from "../../tests/support/fake-call.ts";
import { eventually, startFakeUpstream } from "../../tests/support/fake-upstream.ts";
import type { FakeUpstream } from "../../tests/support/fake-upstream.ts";
import { createUpstream } from "./upstream.ts";
import type { Exchange, Upstream, UpstreamTimeouts } from "./upstream.ts";

const mebibyte = 1024 * 1024;
/** What the two ends' system buffers of one loopback connection may swallow: 6 MiB and 4 MiB by Linux's defaults. */
const systemBuffersBytes = 16 * mebibyte;

let fake: FakeUpstream;
let upstream: Upstream;

before(async () => {
  fake = await startFakeUpstream();
  upstream = createUpstream({ log: silentLog, connections: 4 });
});
beforeEach(() => fake.clear());
after(async () => {
  await upstream.stop();
  await fake.stop();
});

function send(answer: CollectedAnswer, timeouts?: Partial<UpstreamTimeouts>, from = upstream): Exchange {
  const request = {
    path: "/chat/completions",
    headers: {},
    body: '{"model":"m","stream":true}',
    dropped: [],
  };
  return from.send(
    { connection: { baseUrl: fake.baseUrl, credential: undefined }, request, timeouts },
    answer,
  );
}

/** The provider has written all it can and waits. */
async function standstill(answer: CollectedAnswer): Promise<CallRecord> {
  let sent = -1;
  let lookedAt = performance.now();
  await eventually(() => {
    const [call] = fake.log;
    if (call?.stalled !== true || answer.parts.length === 0 || call.sentBytes !== sent) {
      sent = call?.sentBytes ?? -1;
      lookedAt = performance.now();
    }
    return performance.now() - lookedAt > 60;
  }, 5_000);
  const [call] = fake.log;
  assert.ok(call !== undefined);
  return call;
}

async function oneTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

type AbortStage = readonly [
  name: string,
  behaviour: Behaviour,
  reached: (answer: CollectedAnswer) => boolean,
];
const abortStages: readonly AbortStage[] = [
  ["before the headers", hangBeforeHeaders(), () => fake.log.length === 1],
  ["after the headers", headersThenSilence(), (answer) => answer.status === 200],
  ["between tokens", ok({ tokens: 1_000, everyMs: 20 }), (answer) => answer.sizeBytes > 500],
  ["in a silence", tokensThenSilence(1), (answer) => answer.text.includes("tok ")],
  ["in a flood", flood(1024 * mebibyte), (answer) => answer.sizeBytes > mebibyte],
];
for (const [name, behaviour, reached] of abortStages) {
  test(`S-01 an abort ${name} closes the connection within 200 ms and is the last that is heard`, async () => {
    fake.script("m", behaviour);
    const answer = new CollectedAnswer();
    const exchange = send(answer);
    await eventually(() => reached(answer));
    const before = answer.parts.length;
    exchange.abort();
    exchange.abort();
    await eventually(() => fake.log[0]?.closedByClientAt !== undefined, 200);
    exchange.resume();
    await oneTurn();
    assert.deepEqual([answer.parts.length, answer.failure, answer.ended], [before, undefined, false]);
  });
}

test("S-01 an abort while paused closes the connection within 200 ms", async () => {
  fake.script("m", flood(1024 * mebibyte));
  const answer = new CollectedAnswer();
  answer.pauses = true;
  const exchange = send(answer);
  await standstill(answer);
  exchange.abort();
  await eventually(() => fake.log[0]?.closedByClientAt !== undefined, 200);
  assert.equal(answer.parts.length, 1);
});

test("S-01 an abort while connecting closes the socket within 200 ms", async () => {
  const sockets: net.Socket[] = [];
  const server = net.createServer(
    (socket) => void sockets.push(socket.on("error", () => undefined).resume()),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const answer = new CollectedAnswer();
  const request = { path: "/messages", headers: {}, body: "{}", dropped: [] };
  // TLS to a server that says nothing: the connection is never ready.
  const connection = { baseUrl: `https://127.0.0.1:${address.port}`, credential: undefined };
  const exchange = upstream.send({ connection, request }, answer);
  await eventually(() => sockets.length === 1);
  exchange.abort();
  await eventually(() => sockets[0]?.destroyed === true, 200);
  await oneTurn();
  assert.equal(answer.failure, undefined);
  server.close();
});

test("S-01 an abort while waiting for a free connection sends nothing, and the next in line is served", async () => {
  const narrow = createUpstream({ log: silentLog, connections: 1 });
  fake.script("m", ok({ afterMs: 50 }));
  const answers = [new CollectedAnswer(), new CollectedAnswer(), new CollectedAnswer()] as const;
  const exchanges = answers.map((answer) => send(answer, undefined, narrow));
  await eventually(() => fake.open() === 1);
  exchanges[1]?.abort();
  await Promise.all([answers[0].over, answers[2].over]);
  assert.deepEqual([answers[1].failure, answers[1].ended, fake.log.length], [undefined, false, 2]);
  assert.equal(new Set(fake.log.map((call) => call.connectionId)).size, 1);
  await narrow.stop();
});

test("S-01 for a call that was aborted while it waited no connection is opened", async () => {
  const narrow = createUpstream({ log: silentLog, connections: 1 });
  fake.script("m", hangBeforeHeaders());
  const first = send(new CollectedAnswer(), undefined, narrow);
  await eventually(() => fake.open() === 1);
  const waiting = send(new CollectedAnswer(), undefined, narrow);
  await oneTurn();
  const opened = fake.opened();
  waiting.abort();
  first.abort();
  await eventually(() => fake.open() === 0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(fake.opened(), opened);
  fake.script("m", ok());
  const next = new CollectedAnswer();
  send(next, undefined, narrow);
  assert.equal((await next.over).status, 200);
  await narrow.stop();
});

test("S-01 an abort right after send sends nothing", async () => {
  const answer = new CollectedAnswer();
  send(answer).abort();
  const next = new CollectedAnswer();
  send(next);
  await next.over;
  assert.deepEqual([fake.log.length, answer.failure], [1, undefined]);
});

test("S-01 an abort from inside each callback is the last that is heard", async () => {
  fake.script("m", ok({ tokens: 100 }));
  for (const at of ["onHead", "onBytes"] as const) {
    const answer = new CollectedAnswer();
    const exchange = send(answer);
    const original = answer[at].bind(answer);
    Object.assign(answer, {
      [at]: (one: never, other: never) => {
        exchange.abort();
        return original(one, other);
      },
    });
    await eventually(() => answer.status === 200);
    await eventually(() => fake.open() === 0);
    assert.deepEqual(
      [answer.parts.length, answer.ended, answer.failure],
      [at === "onHead" ? 0 : 1, false, undefined],
    );
  }
});

test("aborted exchanges leave no connection and no place behind", async () => {
  const narrow = createUpstream({ log: silentLog, connections: 2, maxQueued: 2 });
  for (let round = 0; round < 50; round += 1) {
    fake.script("m", [hangBeforeHeaders(), headersThenSilence(), tokensThenSilence(2)][round % 3] ?? ok());
    const exchanges = [1, 2, 3, 4].map(() => send(new CollectedAnswer(), undefined, narrow));
    if (round % 4 > 0) await eventually(() => fake.open() === 2);
    for (const exchange of exchanges) exchange.abort();
    await eventually(() => fake.open() === 0);
  }
  fake.script("m", ok());
  const answers = [1, 2, 3, 4].map(() => new CollectedAnswer());
  for (const answer of answers) send(answer, undefined, narrow);
  await Promise.all(answers.map((answer) => answer.over));
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 200, 200, 200],
  );
  await narrow.stop();
});

test("S-02 a receiver that pauses stalls the provider, and gets every byte in order after it resumes", async () => {
  const size = 48 * mebibyte;
  fake.script("m", numbers(size));
  const answer = new CollectedAnswer();
  answer.pauses = true;
  const exchange = send(answer);
  const call = await standstill(answer);
  const sent = call.sentBytes;
  assert.ok(sent < systemBuffersBytes, `${sent} bytes were taken`);
  assert.equal(answer.parts.length, 1);
  let mostAhead = 0;
  answer.onPart = () => {
    mostAhead = Math.max(mostAhead, call.sentBytes - answer.sizeBytes);
    setImmediate(() => exchange.resume());
  };
  exchange.resume();
  await answer.over;
  assert.ok(answer.ended);
  assert.ok(mostAhead < systemBuffersBytes, `${mostAhead} bytes were on their way`);
  assert.ok(Buffer.concat(answer.parts).equals(numberBytes(size)));
});

test("S-02 our own slowness is not the provider's: no idle timeout while paused", async () => {
  fake.script("m", flood(32 * mebibyte));
  const answer = new CollectedAnswer();
  answer.pauses = true;
  const exchange = send(answer, { firstByteMs: 500, idleMs: 500 });
  await eventually(() => answer.parts.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.equal(answer.failure, undefined);
  answer.pauses = false;
  exchange.resume();
  await answer.over;
  assert.ok(answer.ended);
});

test("S-02 a pause after the last byte holds back the end", async () => {
  for (const closing of ["connection: close\r\n", "content-length: 9\r\n", ""]) {
    fake.script(
      "m",
      raw((socket) => void socket.end(`HTTP/1.1 200 OK\r\n${closing}\r\nall of it`)),
    );
    const answer = new CollectedAnswer();
    answer.pauses = true;
    const exchange = send(answer);
    await eventually(() => answer.parts.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([answer.ended, answer.failure], [false, undefined]);
    exchange.resume();
    await answer.over;
    assert.deepEqual([answer.text, answer.ended], ["all of it", true]);
  }
});

for (const closing of ["end", "resetAndDestroy"] as const) {
  test(`S-02 no byte comes while paused, though the provider's socket does ${closing} meanwhile`, async () => {
    const size = 40_000;
    fake.script(
      "m",
      raw(async (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        for (let part = 0; part < 4; part += 1) {
          socket.write("x".repeat(size / 4));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        socket[closing]();
      }),
    );
    const answer = new CollectedAnswer();
    answer.pauses = true;
    const exchange = send(answer);
    await eventually(() => answer.parts.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.equal(answer.parts.length, 1);
    answer.onPart = () => setImmediate(() => exchange.resume());
    exchange.resume();
    await answer.over;
    if (closing === "end") assert.deepEqual([answer.ended, answer.sizeBytes], [true, size]);
    else assert.equal(answer.failure?.kind, "reset");
  });
}

test("a failure while paused is told", async () => {
  fake.script("m", resetAfter(3, { everyMs: 10 }));
  const answer = new CollectedAnswer();
  answer.pauses = true;
  const exchange = send(answer, { totalMs: 5_000 });
  await eventually(() => answer.parts.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 60));
  answer.pauses = false;
  exchange.resume();
  await answer.over;
  assert.equal(answer.failure?.kind, "reset");
});

test("a new call from inside any callback is served", async () => {
  fake.script("m", ok({ tokens: 3, everyMs: 2 }));
  for (const at of ["onHead", "onBytes", "onEnd"] as const) {
    const answer = new CollectedAnswer();
    const inner = new CollectedAnswer();
    const original = answer[at].bind(answer);
    Object.assign(answer, {
      [at]: (one: never, other: never) => {
        if (inner.sizeBytes === 0) send(inner);
        return original(one, other);
      },
    });
    send(answer);
    await Promise.all([answer.over, inner.over]);
    assert.deepEqual([answer.ended, inner.ended], [true, true]);
  }
});

/** Every position can be told from every other, so that a lost or swapped piece shows. */
function numberBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

function numbers(size: number): Behaviour {
  return async (call) => {
    const bytes = numberBytes(size);
    call.startStream();
    for (let at = 0; at < size; at += 65_536) await call.write(bytes.subarray(at, at + 65_536));
    await call.end();
  };
}
