import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { silentLog } from "../core/log.ts";
import { CollectedAnswer } from "../../tests/support/collected-answer.ts";
import { raw } from "../../tests/support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "../../tests/support/fake-upstream.ts";
import type { FakeUpstream } from "../../tests/support/fake-upstream.ts";
import { createUpstream } from "./upstream.ts";
import type { Exchange, Upstream } from "./upstream.ts";

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

function send(answer: CollectedAnswer, maxBytes?: number): Exchange {
  const request = { path: "/chat/completions", headers: {}, body: '{"model":"m","stream":true}' };
  return upstream.send(
    { connection: { baseUrl: fake.baseUrl, credential: undefined }, request, maxBytes },
    answer,
  );
}

const eventStreamHead =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const numbers = Array.from({ length: 50 }, (_, at) => `data: ${at}\n\n`);
const text = numbers.join("");
const end = "0\r\n\r\n";

function chunked(pieces: readonly (string | Buffer)[]): Buffer {
  const framed = pieces.map((piece) => [
    Buffer.from(`${Buffer.byteLength(piece).toString(16)}\r\n`),
    Buffer.from(piece),
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat(framed.flat());
}

/** The provider sends each of these on its own, a moment after the one before. */
function sends(...writes: readonly (string | Buffer)[]): void {
  fake.script(
    "m",
    raw(async (socket: Socket) => {
      for (const bytes of writes) {
        socket.write(bytes);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }),
  );
}

test("pieces that come together are handed on as one, and such that come alone at once", async () => {
  sends(eventStreamHead, chunked(numbers), chunked(["data: alone\n\n"]), end);
  const answer = new CollectedAnswer();
  send(answer);
  await answer.over;
  assert.deepEqual(answer.parts.map(String), [text, "data: alone\n\n"]);
  assert.ok(answer.ended);
  assert.ok(
    answer.overAt - (answer.partTimes[1] ?? Infinity) > 10,
    "the last piece did not wait for the end",
  );
});

test("pieces that come with the end are heard before it", async () => {
  sends(Buffer.concat([Buffer.from(eventStreamHead), chunked(numbers), Buffer.from(end)]));
  const answer = new CollectedAnswer();
  send(answer);
  await answer.over;
  assert.deepEqual([answer.text, answer.ended, answer.late], [text, true, 0]);
});

test("pieces that came before a failure are heard before it", async () => {
  sends(Buffer.concat([Buffer.from(eventStreamHead), chunked(numbers)]));
  const answer = new CollectedAnswer();
  const allowed = numbers.slice(0, 20).join("").length;
  send(answer, allowed + 1);
  await answer.over;
  assert.deepEqual([answer.text.length, answer.failure?.kind, answer.late], [allowed, "too_large", 0]);
});

test("a receiver that leaves at the pieces before a failure hears nothing of it", async () => {
  sends(Buffer.concat([Buffer.from(eventStreamHead), chunked(numbers)]));
  const answer = new CollectedAnswer();
  const exchange = send(answer, 100);
  answer.onPart = () => exchange.abort();
  await eventually(() => answer.parts.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([answer.parts.length, answer.ended, answer.failure], [1, false, undefined]);
});

const packings = {
  none: (plain: string) => Buffer.from(plain),
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};

for (const [name, pack] of Object.entries(packings)) {
  test(`while paused nothing comes, not even the end of a body that is all here (packing: ${name})`, async () => {
    const packing = name === "none" ? "" : `\r\ncontent-encoding: ${name}`;
    const head = eventStreamHead.replace("\r\n\r\n", `${packing}\r\n\r\n`);
    sends(Buffer.concat([Buffer.from(head), chunked([pack(text)]), Buffer.from(end)]));
    const answer = new CollectedAnswer();
    answer.pauses = true;
    const exchange = send(answer);
    await eventually(() => answer.parts.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual([answer.text, answer.ended], [text, false]);
    exchange.resume();
    await answer.over;
    assert.deepEqual([answer.text, answer.ended, answer.late], [text, true, 0]);
  });
}
