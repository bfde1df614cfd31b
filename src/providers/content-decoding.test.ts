import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import zlib from "node:zlib";
import { silentLog } from "../core/log.ts";
import { CollectedAnswer } from "../../tests/support/collected-answer.ts";
import { body, compressed, sse } from "../../tests/support/fake-behaviours.ts";
import type { Compression } from "../../tests/support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "../../tests/support/fake-upstream.ts";
import type { FakeUpstream } from "../../tests/support/fake-upstream.ts";
import { createUpstream } from "./upstream.ts";
import type { Exchange, Upstream } from "./upstream.ts";

const mebibyte = 1024 * 1024;
const compressions: readonly Compression[] = ["gzip", "br", "zstd", "deflate", "deflate-raw"];

let fake: FakeUpstream;
let upstream: Upstream;

before(async () => {
  fake = await startFakeUpstream();
  upstream = createUpstream({ log: silentLog });
});
beforeEach(() => fake.clear());
after(async () => {
  await upstream.stop();
  await fake.stop();
});

function send(answer: CollectedAnswer, stream: boolean, maxBytes?: number): Exchange {
  const request = {
    path: "/chat/completions",
    headers: {},
    body: JSON.stringify({ model: "m", stream }),
    dropped: [],
  };
  return upstream.send(
    { connection: { baseUrl: fake.baseUrl, credential: undefined }, request, maxBytes },
    answer,
  );
}

async function ask(stream: boolean, maxBytes?: number): Promise<CollectedAnswer> {
  const answer = new CollectedAnswer();
  send(answer, stream, maxBytes);
  return answer.over;
}

for (const encoding of compressions) {
  test(`U-08 an answer in ${encoding} is read`, async () => {
    fake.script("m", compressed(encoding, { tokens: 500 }));
    const answer = await ask(false);
    assert.ok(answer.ended, answer.failure?.detail);
    assert.match(answer.text, /^\{"id".*(?:tok ){500}.*\}$/);
  });

  test(`U-08 events in ${encoding} arrive within 100 ms of being sent`, async () => {
    fake.script("m", compressed(encoding, { tokens: 5, everyMs: 120, text: "one " }));
    const answer = new CollectedAnswer();
    const arrivals: number[] = [];
    answer.onPart = () => {
      const count = answer.text.split("one ").length - 1;
      while (arrivals.length < count) arrivals.push(performance.now());
    };
    send(answer, true);
    await answer.over;
    assert.ok(answer.ended, answer.failure?.detail);
    assert.match(answer.text, /\[DONE\]\n\n$/);
    const sent = fake.log[0]?.tokenTimes ?? [];
    assert.equal(arrivals.length, 5);
    arrivals.forEach((at, index) =>
      assert.ok(at - (sent[index] ?? 0) < 100, `${at - (sent[index] ?? 0)} ms`),
    );
  });

  for (const stream of [true, false]) {
    test(`U-08 ${stream ? "events" : "an answer"} in ${encoding} without the end fail as unreadable`, async () => {
      fake.script("m", compressed(encoding, { truncated: true }));
      const answer = await ask(stream);
      assert.deepEqual([answer.failure?.kind, answer.ended, answer.late], ["unreadable", false, 0]);
    });
  }
}

for (const label of ["gzip", "br", "zstd", "deflate"]) {
  test(`U-08 plain text labelled ${label} fails as unreadable`, async () => {
    fake.script("m", body('{"plain":"text, long enough to look at"}', { "content-encoding": label }));
    assert.equal((await ask(false)).failure?.kind, "unreadable");
  });

  test(`an empty body labelled ${label} is an empty body`, async () => {
    fake.script("m", body("", { "content-encoding": label }));
    const answer = await ask(false);
    assert.deepEqual([answer.ended, answer.sizeBytes], [true, 0]);
  });
}

test("U-08 one encoding under another's name fails as unreadable", async () => {
  fake.script("m", compressed("gzip", { label: "br" }));
  assert.equal((await ask(false)).failure?.kind, "unreadable");
});

test("bytes without a label are handed on as they are", async () => {
  const bytes = zlib.gzipSync("hello");
  fake.script("m", body(bytes, { "content-encoding": "identity" }));
  const answer = await ask(false);
  assert.ok(Buffer.concat(answer.parts).equals(bytes));
});

test("U-09 a decompression bomb ends at the accepted size", async () => {
  const bombs = { gzip: zlib.gzipSync, br: zlib.brotliCompressSync, zstd: zlib.zstdCompressSync };
  for (const [encoding, compress] of Object.entries(bombs)) {
    const level = encoding === "br" ? { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } } : {};
    fake.script("m", body(compress(Buffer.alloc(64 * mebibyte), level), { "content-encoding": encoding }));
    const answer = await ask(false, mebibyte);
    assert.equal(answer.failure?.kind, "too_large");
    assert.ok(answer.sizeBytes <= mebibyte, `${answer.sizeBytes}`);
  }
});

test("U-09 a whole answer above 64 MiB fails as too large, its connection closed", async () => {
  const part = Buffer.alloc(mebibyte, "x");
  fake.script("m", async (call) => {
    call.response.writeHead(200, { "content-type": "application/json" });
    for (let sent = 0; sent < 200 && !call.gone; sent += 1) await call.write(part);
    await call.end();
  });
  const answer = await ask(false);
  assert.equal(answer.failure?.kind, "too_large");
  await eventually(() => fake.open() === 0, 200);
  assert.ok((fake.log[0]?.sentBytes ?? 0) < 100 * mebibyte);
});

test("S-02 a paused receiver gets nothing of a bomb, and all of it after it resumes", async () => {
  const size = 8 * mebibyte;
  fake.script("m", body(zlib.gzipSync(Buffer.alloc(size)), { "content-encoding": "gzip" }));
  const answer = new CollectedAnswer();
  answer.pauses = true;
  const exchange = send(answer, false);
  await eventually(() => answer.parts.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(answer.parts.length, 1);
  answer.onPart = () => setImmediate(() => exchange.resume());
  exchange.resume();
  await answer.over;
  assert.deepEqual([answer.ended, answer.sizeBytes], [true, size]);
});

test("S-02 an incompressible stream through a decoder keeps back-pressure and order", async () => {
  const noise = Buffer.from(Array.from({ length: 4 * mebibyte }, (_, at) => (at * 2_654_435_761) >>> 13));
  const whole = Buffer.concat(Array.from({ length: 6 }, () => noise));
  fake.script("m", async (call) => {
    call.compressWith(zlib.createGzip({ level: 0 }));
    call.startStream({ "content-encoding": "gzip" });
    for (let at = 0; at < whole.length; at += 65_536) await call.write(whole.subarray(at, at + 65_536));
    await call.end();
  });
  const answer = new CollectedAnswer();
  answer.pauses = true;
  const exchange = send(answer, true);
  answer.onPart = () => setImmediate(() => exchange.resume());
  await answer.over;
  assert.ok(answer.ended, answer.failure?.detail);
  assert.ok(Buffer.concat(answer.parts).equals(whole));
});

test("an abort while decoding is the last that is heard", async () => {
  fake.script("m", compressed("gzip", { tokens: 1_000, everyMs: 2 }));
  const answer = new CollectedAnswer();
  const exchange = send(answer, true);
  await eventually(() => answer.parts.length > 3);
  exchange.abort();
  const heard = answer.parts.length;
  await eventually(() => fake.open() === 0, 200);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([answer.parts.length, answer.failure, answer.ended], [heard, undefined, false]);
});

test("S-05 a body cut at every byte is the same body", async () => {
  const text = 'data: {"text":"naïve 你好 🌍\\u2028"}\n\n';
  const size = Buffer.byteLength(text);
  fake.script(
    "m",
    sse(
      text,
      Array.from({ length: size - 1 }, (_, at) => at + 1),
    ),
  );
  const answer = await ask(true);
  assert.equal(answer.text, text);
});
