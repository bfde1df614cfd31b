import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import zlib from "node:zlib";
import { z } from "zod";
import { silentLog } from "../src/core/log.ts";
import { withBody } from "../src/http/door.ts";
import type { Door } from "../src/http/door.ts";
import { frontServer } from "../src/http/server.ts";
import { endsClean } from "./support/clean-end.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { healthTimes, staysQuick } from "./support/health-watch.ts";
import { packedZeros } from "./support/packed-zeros.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { residentBytes } from "./support/process-usage.ts";
import { rawRequest, sendRaw } from "./support/raw-http.ts";
import type { RawAnswer } from "./support/raw-http.ts";

/** How a request may be sent, byte by byte: cases I-06, I-08, I-09 and O-05. What a body says is in input.test.ts. */

const capBytes = 1024 * 1024;
let upstream: FakeUpstream;
let gateway: GatewayProcess;
let customer: Customer;

before(async () => {
  upstream = await startFakeUpstream();
  const environment = { SKILLBOSS_MAX_BODY_BYTES: String(capBytes) };
  gateway = await startGatewayProcess({ p1: upstream.baseUrl, environment });
  customer = await gateway.customer();
});
beforeEach(() => upstream.clear());
after(() => endsClean(gateway, upstream));

const chatBody = JSON.stringify({ model: "m-chat", messages: [{ role: "user", content: "hi" }] });
const chatLine = "POST /v1/chat/completions";

function chatHeaders(...more: readonly string[]): readonly string[] {
  return [`Authorization: Bearer ${customer.key}`, "Content-Type: application/json", ...more];
}

/** The same for a connection that ends with its answer, which saves the wait for silence. */
function lastHeaders(...more: readonly string[]): readonly string[] {
  return chatHeaders(...more, "Connection: close");
}

/** One refusal in our form, and the end of the connection. */
function assertRefusedOnce(answer: RawAnswer, statuses: readonly number[], label: string): void {
  const shown = `${label}: ${JSON.stringify(answer.text.slice(0, 300))}`;
  assert.equal(answer.statuses.length, 1, shown);
  assert.ok(statuses.includes(answer.statuses[0] ?? 0), shown);
  assert.ok(answer.isClosed, `${label}: the connection stays open`);
  assert.match(answer.text, /\r\nx-request-id: req_\w+\r\n/i, shown);
  const { error } = JSON.parse(answer.body);
  assert.deepEqual(
    [typeof error.message, typeof error.type, typeof error.code],
    ["string", "string", "string"],
  );
}

test("I-06 a body that is announced too large is refused before it is sent", async () => {
  const headers = chatHeaders("Content-Length: 100000000");
  assertRefusedOnce(await sendRaw(gateway.port, rawRequest(chatLine, headers)), [413], "announced");
  const exact = Buffer.from(chatBody.padEnd(capBytes));
  assert.deepEqual((await sendRaw(gateway.port, rawRequest(chatLine, lastHeaders(), exact))).statuses, [200]);
  const larger = Buffer.from(chatBody.padEnd(capBytes + 1));
  assert.deepEqual(
    (await sendRaw(gateway.port, rawRequest(chatLine, lastHeaders(), larger))).statuses,
    [413],
  );
});

/** Sends pieces as fast as the gateway takes them, until it answers. */
function pour(
  headers: readonly string[],
  piece: Buffer,
  mostBytes: number,
): Promise<RawAnswer & { readonly sentBytes: number }> {
  return new Promise((resolve) => {
    const socket = net.connect({ port: gateway.port, host: "127.0.0.1" });
    let text = "";
    let sentBytes = 0;
    let isOver = false;
    const more = (): void => {
      while (!isOver && sentBytes < mostBytes) {
        sentBytes += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on("connect", () => {
      socket.write(rawRequest(chatLine, headers));
      more();
    });
    socket.on("drain", more);
    socket.on("data", (part) => {
      isOver = true;
      text += part.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
      const body = text.slice(text.indexOf("\r\n\r\n") + 4);
      resolve({
        text,
        body,
        statuses: status === undefined ? [] : [Number(status)],
        isClosed: true,
        sentBytes,
      });
    });
  });
}

const spaces = Buffer.alloc(65_536, 0x20);
const chunk = Buffer.concat([Buffer.from("10000\r\n"), spaces, Buffer.from("\r\n")]);

test("I-06 a body without a length is refused when the cap is passed, and the client can read that", async () => {
  const memoryBefore = residentBytes(gateway);
  await staysQuick(gateway, async () => {
    const chunked = chatHeaders("Transfer-Encoding: chunked");
    const announced = chatHeaders("Content-Length: 100000000");
    const pouring = Array.from({ length: 20 }, (_, index) =>
      index % 4 === 3 ? pour(announced, spaces, 100_000_000) : pour(chunked, chunk, 100_000_000),
    );
    for (const answer of await Promise.all(pouring)) {
      assertRefusedOnce(answer, [413], "poured");
      // What a client can send before it reads lies in the buffers of two sockets: that no more than the cap and 64 KB
      // are read cannot be seen from here, only that memory does not grow by it.
      assert.ok(answer.sentBytes < 50_000_000, `${answer.sentBytes} bytes were sent`);
    }
  });
  const growth = residentBytes(gateway) - memoryBefore;
  assert.ok(growth < 20 * capBytes + 100_000_000, `memory grew by ${growth} bytes`);
  assert.equal(upstream.log.length, 0);
});

test("I-06 a length that is not true makes no second request and no call", async () => {
  const hidden = rawRequest("GET /v1/balance", chatHeaders()).toString("latin1");
  const short = await sendRaw(
    gateway.port,
    rawRequest(chatLine, chatHeaders(`Content-Length: ${chatBody.length - 1}`), chatBody),
  );
  assert.deepEqual(short.statuses, [400, 400], "the body is cut off, and its last byte is no request");
  assert.match(short.body, /invalid_json/);
  assert.ok(short.isClosed);
  const inside = await sendRaw(
    gateway.port,
    rawRequest(
      chatLine,
      chatHeaders(`Content-Length: ${chatBody.length + hidden.length}`),
      chatBody + hidden,
    ),
  );
  assert.deepEqual(inside.statuses, [400], "what lies inside the length is body");
  const socket = net.connect({ port: gateway.port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.end(rawRequest(chatLine, chatHeaders("Content-Length: 1000"), chatBody));
  socket.resume();
  await once(socket, "close");
  assert.equal(upstream.log.length, 0);
});

test("I-06 a client that asks first is told to go on only when its body will be taken", async () => {
  const expect = "Expect: 100-continue";
  const refused = [
    [chatHeaders(expect, "Content-Length: 100000000"), 413],
    [chatHeaders(expect, "Content-Encoding: gzip", "Content-Length: 100"), 415],
    [["Authorization: Bearer sk-wrong", expect, "Content-Length: 100"], 401],
  ] as const;
  for (const [headers, status] of refused) {
    const answer = await sendRaw(gateway.port, rawRequest(chatLine, headers));
    assertRefusedOnce(answer, [status], headers.join());
  }
  const taken = await sendRaw(gateway.port, rawRequest(chatLine, lastHeaders(expect), chatBody));
  assert.deepEqual(taken.statuses, [100, 200]);
  const other = await sendRaw(gateway.port, rawRequest(chatLine, lastHeaders("Expect: miracles"), chatBody));
  assert.deepEqual(other.statuses, [200], "an expectation that we do not know may be ignored");
});

const patience = { headersMs: 300, requestMs: 600, checkEveryMs: 50, keepAliveMs: 5_000 };

/** The front alone, with less patience than the real one. */
async function impatientFront(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const door: Door = {
    method: "POST",
    path: "/echo",
    access: "open",
    summary: "",
    answers: "",
    ...withBody(z.looseObject({}), ({ body }) => ({ status: 200, body })),
  };
  const nobody = (): never => {
    throw new Error("this door is open to all");
  };
  const server = frontServer({
    doors: [door],
    doorkeeper: { callerOf: nobody, isOperator: nobody, forget: () => undefined },
    log: silentLog,
    maxBodyBytes: capBytes,
    timeouts: patience,
    headersFor: async () => ({}),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { port: address.port, close };
}

test("I-06 headers or a body that come too slowly end in 408", async () => {
  const front = await impatientFront();
  const whole = rawRequest("POST /echo", [], JSON.stringify({ text: "x".repeat(1_000) }));
  for (const stopAt of [20, whole.length - 900]) {
    const startedAt = performance.now();
    const socket = net.connect({ port: front.port, host: "127.0.0.1" });
    let text = "";
    socket.on("data", (part) => (text += part.toString("latin1")));
    socket.on("error", () => undefined);
    socket.write(whole.subarray(0, stopAt));
    let at = stopAt;
    const dripping = setInterval(() => socket.write(whole.subarray(at, (at += 1))), 20);
    await once(socket, "close");
    clearInterval(dripping);
    assert.match(text, /^HTTP\/1\.1 408 [^]*"request_timeout"/);
    assert.ok(performance.now() - startedAt < 10_000);
  }
  assert.deepEqual((await sendRaw(front.port, whole)).statuses, [200]);
  await front.close();
});

// The patience of the real one is two minutes.
if (isWholePlan)
  test("I-06 twenty bodies of 1 KB per second end in 408 and hold up nobody", async () => {
    const idle = await healthTimes(gateway.port, () => pause(20_000));
    const times = await healthTimes(gateway.port, async () => {
      const startedAt = performance.now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => drip(1_024, 1_000)));
      for (const text of answers) assert.match(text, /^HTTP\/1\.1 408 [^]*"request_timeout"/);
      assert.ok(performance.now() - startedAt < 130_000);
    });
    assert.ok(times.p99 <= 2 * idle.p99, JSON.stringify({ idle, times }));
    assert.equal(upstream.log.length, 0);
  });

/** Sends a large body in pieces, until it is answered and the connection is closed. */
async function drip(pieceBytes: number, everyMs: number): Promise<string> {
  const socket = net.connect({ port: gateway.port, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (part) => (text += part.toString("latin1")));
  socket.on("error", () => undefined);
  socket.write(rawRequest(chatLine, chatHeaders("Content-Length: 1000000")));
  const dripping = setInterval(() => socket.write(Buffer.alloc(pieceBytes, 0x20)), everyMs);
  await once(socket, "close");
  clearInterval(dripping);
  return text;
}

const compress = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
} as const;

test("I-08 a compressed body is refused before it is unpacked, a bomb too", async () => {
  const bombBytes = planned({ whole: 10_000_000_000, quick: 50_000_000 });
  const memoryBefore = residentBytes(gateway);
  for (const coding of ["gzip", "deflate", "br", "zstd"] as const) {
    for (const packed of [compress[coding](chatBody), await packedZeros(coding, bombBytes)]) {
      const label = `${coding}, ${packed.length} bytes`;
      const headers = lastHeaders(`Content-Encoding: ${coding}`);
      assertRefusedOnce(await sendRaw(gateway.port, rawRequest(chatLine, headers, packed)), [415], label);
      const chunked = Buffer.concat([
        Buffer.from(`${packed.length.toString(16)}\r\n`),
        packed,
        Buffer.from("\r\n0\r\n\r\n"),
      ]);
      const without = lastHeaders(`Content-Encoding: ${coding}`, "Transfer-Encoding: chunked");
      assertRefusedOnce(await sendRaw(gateway.port, rawRequest(chatLine, without, chunked)), [415], label);
    }
  }
  for (const coding of [
    "gzip, gzip",
    "gzip, identity",
    "x-gzip",
    "compress",
    "nonsense",
    "identity, identity",
  ]) {
    const headers = lastHeaders(`Content-Encoding: ${coding}`);
    assertRefusedOnce(await sendRaw(gateway.port, rawRequest(chatLine, headers, chatBody)), [415], coding);
  }
  const unlabelled = await sendRaw(
    gateway.port,
    rawRequest(chatLine, lastHeaders(), zlib.gzipSync(chatBody)),
  );
  assert.deepEqual(unlabelled.statuses, [400]);
  const grownBytes = residentBytes(gateway) - memoryBefore;
  const mostBytes = planned({ whole: capBytes + 16_000_000, quick: 80_000_000 });
  assert.ok(grownBytes < mostBytes, `grew by ${Math.round(grownBytes / 1e6)} MB`);
  assert.equal(upstream.log.length, 0);
  const plain = await sendRaw(
    gateway.port,
    rawRequest(chatLine, lastHeaders("Content-Encoding: identity"), chatBody),
  );
  assert.deepEqual(plain.statuses, [200]);
});

test("I-08 only JSON in UTF-8 is taken as a body", async () => {
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
  ];
  for (const type of [...types, "application/json; charset=utf-16", "application/json; charset=latin1"]) {
    const headers = [`Authorization: Bearer ${customer.key}`, `Content-Type: ${type}`, "Connection: close"];
    const { statuses } = await sendRaw(gateway.port, rawRequest(chatLine, headers, chatBody));
    assert.deepEqual(statuses, [415], type);
  }
  for (const type of ["application/json; charset=UTF-8", "APPLICATION/JSON", "application/vnd.api+json"]) {
    const headers = [`Authorization: Bearer ${customer.key}`, `Content-Type: ${type}`, "Connection: close"];
    const { statuses } = await sendRaw(gateway.port, rawRequest(chatLine, headers, chatBody));
    assert.deepEqual(statuses, [200], type);
  }
});

test("I-09 a request that two readers could read in two ways is refused, and nothing behind it is served", async () => {
  const hidden = rawRequest(chatLine, chatHeaders(), chatBody).toString("latin1");
  const line = `${chatLine} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${customer.key}\r\n`;
  const chunkedEnd = `\r\n\r\n0\r\n\r\n${hidden}`;
  const strange: Readonly<Record<string, string>> = {
    "two lengths": `${line}Content-Length: ${chatBody.length}\r\nContent-Length: 0\r\n\r\n${chatBody}`,
    "the same length twice": `${line}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${hidden}`,
    "a list of lengths": `${line}Content-Length: 2, 2\r\n\r\n{}${hidden}`,
    "a signed length": `${line}Content-Length: +2\r\n\r\n{}${hidden}`,
    "a negative length": `${line}Content-Length: -2\r\n\r\n${hidden}`,
    "a length in hexadecimal": `${line}Content-Length: 0x2\r\n\r\n{}${hidden}`,
    "length and chunks": `${line}Content-Length: 5\r\nTransfer-Encoding: chunked${chunkedEnd}`,
    "chunks and length": `${line}Transfer-Encoding: chunked\r\nContent-Length: 5${chunkedEnd}`,
    "chunks in gzip": `${line}Transfer-Encoding: gzip, chunked${chunkedEnd}`,
    "chunks twice": `${line}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked${chunkedEnd}`,
    "chunks and then identity": `${line}Transfer-Encoding: chunked, identity${chunkedEnd}`,
    "an unknown coding": `${line}Transfer-Encoding: xchunked${chunkedEnd}`,
    "a coding with a tab": `${line}Transfer-Encoding:\tgzip,\tchunked${chunkedEnd}`,
    "a space before the colon": `${line}Transfer-Encoding : chunked${chunkedEnd}`,
    "a folded coding": `${line}Transfer-Encoding:\r\n chunked${chunkedEnd}`,
    "a folded header": `${line}X-A: b\r\n c\r\n\r\n${hidden}`,
    "bare line feeds": `GET /health HTTP/1.1\nHost: gateway\n\n${hidden}`,
    "a bare line feed in the headers": `${line}X-A: b\nContent-Length: 2\r\n\r\n{}${hidden}`,
    "a bare carriage return": `${line}X-A: b\rTransfer-Encoding: chunked${chunkedEnd}`,
    "a NUL in a value": `${line}X-A: b\0c\r\n\r\n${hidden}`,
    "a NUL in a name": `${line}X-\0A: b\r\n\r\n${hidden}`,
    "line feeds between chunks": `${line}Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n${hidden}`,
    "a chunk without a size": `${line}Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n${hidden}`,
    "a chunk of a negative size": `${line}Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n${hidden}`,
    "a chunk size beyond 64 bits": `${line}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n${hidden}`,
    "an endless chunk extension": `${line}Transfer-Encoding: chunked\r\n\r\n2;${"a".repeat(20_000)}\r\n{}\r\n0\r\n\r\n${hidden}`,
    "no host": `GET /health HTTP/1.1\r\n\r\n${hidden}`,
    "two hosts": `GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${hidden}`,
    "a whole address": `GET http://elsewhere/health HTTP/1.1\r\nHost: gateway\r\n\r\n${hidden}`,
    "a header of 17 KB": `GET /health HTTP/1.1\r\nHost: gateway\r\nX-A: ${"a".repeat(17_000)}\r\n\r\n${hidden}`,
    "2,001 headers": `GET /health HTTP/1.1\r\nHost: gateway\r\n${"a: b\r\n".repeat(2_001)}\r\n${hidden}`,
    "the preface of HTTP/2": `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`,
    "a TLS greeting": `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n${hidden}`,
    "no HTTP": `HELLO\r\n\r\n${hidden}`,
  };
  for (const [label, bytes] of Object.entries(strange)) {
    assertRefusedOnce(await sendRaw(gateway.port, bytes), [400, 431], label);
    assert.equal(upstream.log.length, 0, `${label}: the hidden request was served`);
  }
});

test("I-09 ordinary requests one behind the other are each answered, in order", async () => {
  const chunked = rawRequest(
    chatLine,
    chatHeaders("transfer-encoding: chunKed"),
    `${chatBody.length.toString(16)}\r\n${chatBody}\r\n0\r\n\r\n`,
  );
  const balance = rawRequest("GET /v1/balance", chatHeaders());
  const health = rawRequest("GET /health", ["__proto__: x", "constructor: y"]);
  const answer = await sendRaw(gateway.port, Buffer.concat([chunked, balance, health, balance]), 1_000);
  assert.deepEqual(answer.statuses, [200, 200, 200, 200]);
  assert.equal(upstream.log.length, 1);
  const old = await sendRaw(gateway.port, "GET /health HTTP/1.0\r\n\r\n");
  assert.deepEqual(old.statuses, [200]);
});

test("I-09 a refused request behind a running one does not disturb its answer", async () => {
  const strange = rawRequest("GET /health", ["Host: second"]);
  const behind = rawRequest(chatLine, chatHeaders(), chatBody);
  const running = rawRequest(chatLine, chatHeaders(), chatBody);
  const answer = await sendRaw(gateway.port, Buffer.concat([running, strange, behind]), 1_000);
  assert.deepEqual(answer.statuses, [200, 400]);
  assert.ok(answer.isClosed);
  assert.equal(upstream.log.length, 1);
});

test("I-09 a refused connection is closed even when the client keeps its side open", async () => {
  for (const bytes of ["HELLO\r\n\r\n", rawRequest(chatLine, ["Content-Length: 1000"])]) {
    const socket = net.connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
    const reset = new Promise<void>((resolve) => socket.on("error", () => resolve()));
    socket.resume();
    socket.write(bytes);
    await once(socket, "end");
    // A closed connection answers further bytes with a reset; the gateway may linger for a second.
    const writing = setInterval(() => socket.write("x"), 100);
    const tooLate = setTimeout(() => socket.destroy(new Error("too late")), 10_000);
    const startedAt = performance.now();
    await reset;
    clearInterval(writing);
    clearTimeout(tooLate);
    assert.ok(performance.now() - startedAt < 5_000, "the gateway keeps the connection");
  }
});
