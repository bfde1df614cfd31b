import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { silentLog } from "../core/log.ts";
import { CollectedAnswer } from "../../tests/support/collected-answer.ts";
import {
  cutAfter,
  endWithoutFinish,
  hangBeforeHeaders,
  headersThenSilence,
  ok,
  raw,
  resetAfter,
  resetBeforeFirstByte,
  slowloris,
  tokensThenSilence,
} from "../../tests/support/fake-behaviours.ts";
import type { Behaviour } from "../../tests/support/fake-behaviours.ts";
import { deadBaseUrl, eventually, startFakeUpstream } from "../../tests/support/fake-upstream.ts";
import type { FakeUpstream } from "../../tests/support/fake-upstream.ts";
import { createUpstream } from "./upstream.ts";
import type { Upstream, UpstreamTimeouts } from "./upstream.ts";

const minuteTimeouts: UpstreamTimeouts = {
  connectMs: 60_000,
  firstByteMs: 60_000,
  idleMs: 60_000,
  totalMs: 60_000,
};

let fake: FakeUpstream;
let upstream: Upstream;

before(async () => {
  fake = await startFakeUpstream();
  upstream = createUpstream({ log: silentLog });
  await ask(new CollectedAnswer());
});
beforeEach(() => fake.clear());
after(async () => {
  await upstream.stop();
  await fake.stop();
});

type Asked = {
  readonly baseUrl?: string;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly from?: Upstream;
};

function ask(answer: CollectedAnswer, asked: Asked = {}): Promise<CollectedAnswer> {
  const request = {
    path: "/chat/completions",
    headers: {},
    body: '{"model":"m","stream":true}',
    dropped: [],
  };
  (asked.from ?? upstream).send(
    {
      connection: { baseUrl: asked.baseUrl ?? fake.baseUrl, credential: undefined },
      request,
      timeouts: asked.timeouts,
    },
    answer,
  );
  return answer.over;
}

/** Compares with a timer of the same length on the same loop, so that a busy machine does not decide. */
async function timedFailure(ms: number, asked: Asked): Promise<CollectedAnswer> {
  const startedAt = performance.now();
  const reference = new Promise<number>((resolve) => {
    setTimeout(() => resolve(performance.now()), ms * 1.1);
  });
  const answer = await ask(new CollectedAnswer(), asked);
  assert.ok(answer.overAt - startedAt >= ms - 2, `after ${answer.overAt - startedAt} ms`);
  assert.ok(answer.overAt <= (await reference) + 10, `after ${answer.overAt - startedAt} ms`);
  return answer;
}

test("U-01 a refused connection is told as refused, at once", async () => {
  const startedAt = performance.now();
  const answer = await ask(new CollectedAnswer(), { baseUrl: await deadBaseUrl() });
  assert.deepEqual([answer.failure?.kind, answer.failure?.stage], ["refused", "connect"]);
  assert.equal(answer.failure?.detail, "ECONNREFUSED");
  assert.ok(performance.now() - startedAt < 2_000);
});

test("U-01 an unknown host is told as refused", async () => {
  const answer = await ask(new CollectedAnswer(), {
    baseUrl: "http://host.invalid/v1",
    timeouts: { connectMs: 2_000 },
  });
  assert.equal(answer.failure?.stage, "connect");
  assert.match(String(answer.failure?.kind), /^(refused|timeout)$/);
});

test("U-01 a TLS failure is told as refused", async () => {
  const answer = await ask(new CollectedAnswer(), { baseUrl: fake.baseUrl.replace("http:", "https:") });
  assert.deepEqual([answer.failure?.kind, answer.failure?.stage], ["refused", "connect"]);
});

test("U-02 a connection that never stands ends with the connect timer, its socket closed", async () => {
  const { server, sockets } = await silentServer();
  const answer = await timedFailure(500, {
    baseUrl: `https://127.0.0.1:${portOf(server)}`,
    timeouts: { ...minuteTimeouts, connectMs: 500 },
  });
  assert.deepEqual([answer.failure?.kind, answer.failure?.stage], ["timeout", "connect"]);
  await eventually(() => sockets.length === 1 && sockets.every((socket) => socket.destroyed), 200);
  server.close();
});

test("U-02 waiting for a free connection ends with the connect timer", async () => {
  const narrow = createUpstream({ log: silentLog, connections: 1 });
  fake.script("m", hangBeforeHeaders());
  const first = ask(new CollectedAnswer(), { from: narrow });
  await eventually(() => fake.open() === 1);
  const answer = await timedFailure(500, { from: narrow, timeouts: { connectMs: 500 } });
  assert.deepEqual([answer.failure?.kind, answer.failure?.stage], ["timeout", "connect"]);
  assert.equal(fake.log.length, 1);
  await narrow.stop();
  await first;
});

const silences: readonly [string, Behaviour, Partial<UpstreamTimeouts>, string][] = [
  ["silence before the headers", hangBeforeHeaders(), { firstByteMs: 500 }, "first_byte"],
  ["headers and then silence", headersThenSilence(), { firstByteMs: 500 }, "first_byte"],
  ["tokens and then silence", tokensThenSilence(3), { idleMs: 500 }, "idle"],
  ["one byte at a time for ever", slowloris(50), { idleMs: 200, totalMs: 500 }, "total"],
  ["a slow first byte beyond the total", hangBeforeHeaders(), { totalMs: 500 }, "total"],
];
for (const [name, behaviour, timeouts, stage] of silences) {
  test(`U-02 ${name} ends with the timer of its stage, the connection closed`, async () => {
    fake.script("m", behaviour);
    const answer = await timedFailure(timeouts.totalMs ?? 500, {
      timeouts: { ...minuteTimeouts, ...timeouts },
    });
    assert.deepEqual([answer.failure?.kind, answer.failure?.stage, answer.late], ["timeout", stage, 0]);
    await eventually(() => fake.log[0]?.closedByClientAt !== undefined, 200);
  });
}

test("an idle time shorter than the first byte's holds from the first byte on", async () => {
  fake.script("m", tokensThenSilence(1, { afterMs: 150 }));
  const answer = await ask(new CollectedAnswer(), { timeouts: { firstByteMs: 60_000, idleMs: 100 } });
  assert.equal(answer.failure?.stage, "idle");
  const [firstAt = 0] = answer.partTimes;
  assert.ok(answer.overAt - firstAt >= 95 && answer.overAt - firstAt < 400, String(answer.overAt - firstAt));
});

test("steady tokens outlive the idle and first byte timers many times over", async () => {
  fake.script("m", ok({ tokens: 30, everyMs: 30 }));
  const answer = await ask(new CollectedAnswer(), { timeouts: { firstByteMs: 200, idleMs: 200 } });
  assert.ok(answer.ended);
  assert.equal(answer.text.split("tok ").length - 1, 30);
});

const cuts: readonly [string, Behaviour, string, string][] = [
  ["U-06 a reset before the first byte", resetBeforeFirstByte(), "reset", "first_byte"],
  ["U-06 a reset after tokens", resetAfter(3, { everyMs: 5 }), "reset", "idle"],
  ["U-06 a close before the end of the body", cutAfter(3, { everyMs: 5 }), "reset", "idle"],
  ["a close without an answer", rawAnswer(""), "reset", "first_byte"],
  [
    "U-07 a content-length that is too long",
    rawAnswer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
    "reset",
    "idle",
  ],
  [
    "U-07 an invalid chunk size",
    rawAnswer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    "unreadable",
    "first_byte",
  ],
  ["U-07 bytes that are not HTTP", rawAnswer("\x16\x03\x01 hello\r\n\r\n"), "unreadable", "first_byte"],
  [
    "U-10 headers of 100 KB",
    rawAnswer(`HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(100_000)}\r\ncontent-length: 0\r\n\r\n`),
    "unreadable",
    "first_byte",
  ],
  [
    "U-10 transfer-encoding with content-length",
    rawAnswer(
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ),
    "reset",
    "first_byte",
  ],
  [
    "U-10 a bare carriage return in a header",
    rawAnswer("HTTP/1.1 200 OK\r\nx-a: a\rx-b: b\r\ncontent-length: 0\r\n\r\n"),
    "unreadable",
    "first_byte",
  ],
  [
    "an unasked upgrade",
    rawAnswer("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    "unreadable",
    "first_byte",
  ],
  [
    "an unknown content-encoding",
    rawAnswer("HTTP/1.1 200 OK\r\ncontent-encoding: rot13\r\ncontent-length: 3\r\n\r\nabc"),
    "unreadable",
    "first_byte",
  ],
  [
    "a stack of content-encodings",
    rawAnswer("HTTP/1.1 200 OK\r\ncontent-encoding: gzip, gzip\r\ncontent-length: 3\r\n\r\nabc"),
    "unreadable",
    "first_byte",
  ],
];
for (const [name, behaviour, kind, stage] of cuts) {
  test(`${name} is told as ${kind}, once`, async () => {
    fake.script("m", behaviour);
    const answer = await ask(new CollectedAnswer(), { timeouts: { totalMs: 5_000 } });
    assert.deepEqual([answer.failure?.kind, answer.failure?.stage, answer.ended], [kind, stage, false]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answer.late, 0);
  });
}

for (const [name, head, part] of [
  ["that would end with its connection", "", "abc"],
  ["in chunks", "transfer-encoding: chunked\r\n", "3\r\nabc\r\n"],
  ["of known length", "content-length: 10\r\n", "abc"],
] as const) {
  test(`U-06 a reset in a body ${name} is never taken for its end`, async () => {
    fake.script(
      "m",
      raw(async (socket, call) => {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${head}\r\n${part}`);
        await call.pause(20);
        socket.resetAndDestroy();
      }),
    );
    const answer = await ask(new CollectedAnswer());
    assert.deepEqual([answer.text, answer.failure?.kind, answer.ended], ["abc", "reset", false]);
  });
}

test("U-10 a header named __proto__ changes nothing", async () => {
  fake.script(
    "m",
    rawAnswer("HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\ncontent-length: 2\r\n\r\nok"),
  );
  const answer = await ask(new CollectedAnswer());
  assert.equal(answer.text, "ok");
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
});

test("a body that ends with the connection is whole, as HTTP/1.0 servers send it", async () => {
  fake.script("m", rawAnswer("HTTP/1.0 200 OK\r\n\r\nall of it"));
  const answer = await ask(new CollectedAnswer());
  assert.deepEqual([answer.text, answer.ended], ["all of it", true]);
});

test("a stream without its finish still ends properly here", async () => {
  fake.script("m", endWithoutFinish(2));
  const answer = await ask(new CollectedAnswer());
  assert.ok(answer.ended);
  assert.doesNotMatch(answer.text, /DONE/);
});

function rawAnswer(bytes: string): Behaviour {
  return raw((socket) => {
    socket.end(bytes, "latin1");
  });
}

async function silentServer(): Promise<{ readonly server: net.Server; readonly sockets: net.Socket[] }> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket.on("error", () => undefined).resume());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, sockets };
}

function portOf(server: net.Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}
