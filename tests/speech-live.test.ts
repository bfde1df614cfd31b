/** Speech is heard while it is made, and charged once, when its end is there. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { mp3Of } from "../src/sandbox/media/mp3.ts";
import { endsInAnyCase } from "./support/ends-in-any-case.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";
import { speakingCatalog, startSpeaker } from "./support/speaker.ts";
import type { Speaker } from "./support/speaker.ts";

/** One for each test: a provider that failed is not asked first for some seconds. */
const models = [
  "m-heard",
  "m-short",
  "m-cut",
  "m-next",
  "m-text",
  "m-left",
  "m-kept",
  "m-slow",
  "m-large",
] as const;
type Model = (typeof models)[number];

let first: Speaker;
let second: Speaker;
let gateway: Gateway;
let customer: PayingCustomer;
before(async () => {
  [first, second] = await Promise.all([startSpeaker(), startSpeaker()]);
  gateway = await startGateway({
    moreFiles: speakingCatalog(models),
    environment: {
      S1_API_KEY: "secret-s1",
      S1_BASE_URL: first.origin,
      S2_API_KEY: "secret-s2",
      S2_BASE_URL: second.origin,
    },
  });
});
beforeEach(async () => {
  customer = await payingCustomer(gateway, { mode: "live" });
});
after(() => endsInAnyCase(gateway, first, second));

/** A thousandth of a dollar for each character, at $0.05 a credit. */
const input = "0123456789";
const cost = 0.2;
const [one, two, three] = [mp3Of(300), mp3Of(500), mp3Of(700)];
/** Of a sound so much is held back until it is whole. */
const held = 1_024;
const heardOfOne = one.subarray(0, -held);
/** No more than is held back. */
const short = mp3Of(60);
const whole = Buffer.concat([one, two, three]);

type Asking = { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal };

function speech(model: Model, { headers = {}, signal }: Asking = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/audio/speech`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${customer.key}`,
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify({ model, input }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** So many bytes of what comes; more where a piece has more. */
async function heard(reader: ReadableStreamDefaultReader<Uint8Array>, least: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let size = 0; size < least;) {
    const { value, done } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
  }
  return Buffer.concat(pieces);
}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  assert.ok(body);
  return body.getReader();
}

async function runOf(response: Response) {
  const id = response.headers.get("x-skillboss-run-id") ?? "";
  return (await gateway.get(customer.key, `/v1/run/${id}`)).body;
}

test("a sound is heard before it is whole, with its cost in front, and is charged when it is", async () => {
  const answer = speech("m-heard");
  const spoken = await first.asked();
  await spoken.say(one);
  const response = await answer;
  assert.equal(response.status, 200);
  assert.deepEqual(
    ["content-type", "content-length", "x-skillboss-cost", "x-skillboss-balance", "x-skillboss-model"].map(
      (name) => response.headers.get(name),
    ),
    ["audio/mpeg", null, "0.200000", "999.800000", "s1/m-heard"],
  );
  const reader = readerOf(response);
  assert.deepEqual(await heard(reader, heardOfOne.length), heardOfOne);
  const { body } = await gateway.get(customer.key, "/v1/balance");
  assert.equal(body.held, "0.200000");
  await spoken.say(two);
  await spoken.say(three);
  spoken.end();
  const rest = await heard(reader, Infinity);
  assert.equal(await customer.spent(), cost);
  assert.deepEqual(Buffer.concat([heardOfOne, rest]), whole);
  const { status, result } = await runOf(response);
  assert.deepEqual([status, result.usage], ["completed", { chars: input.length }]);
  assert.deepEqual(await bytesOf(await fetch(result.audio_url)), whole);
});

test("a sound that is shorter than what is held back is answered whole, with its length", async () => {
  const answer = speech("m-short");
  const spoken = await first.asked();
  await spoken.say(short);
  spoken.end();
  const response = await answer;
  assert.equal(Number(response.headers.get("content-length")), short.length);
  assert.deepEqual(await bytesOf(response), short);
  assert.equal(await customer.spent(), cost);
});

test("a sound that breaks off is cut, not ended; nobody else is asked and nothing is charged", async () => {
  const before = second.visits.length;
  const answer = speech("m-cut");
  const spoken = await first.asked();
  await spoken.say(one);
  const response = await answer;
  const reader = readerOf(response);
  assert.deepEqual(await heard(reader, heardOfOne.length), heardOfOne);
  spoken.breakOff();
  await assert.rejects(heard(reader, Infinity));
  assert.equal((await runOf(response)).status, "failed");
  assert.equal(await customer.spent(), 0);
  assert.equal(second.visits.length, before);
});

test("a sound that breaks off before anybody could hear it is made by the next provider", async () => {
  const answer = speech("m-next");
  const broken = await first.asked();
  await broken.say(short);
  broken.breakOff();
  // A connection that breaks is tried once more before the next provider is asked.
  const again = await first.asked();
  await again.say(short);
  again.breakOff();
  const spoken = await second.asked();
  await spoken.say(two);
  await spoken.say(three);
  spoken.end();
  const response = await answer;
  assert.equal(response.headers.get("x-skillboss-model"), "s2/m-next");
  assert.deepEqual(await bytesOf(response), Buffer.concat([two, three]));
  assert.equal(await customer.spent(), cost);
});

test("text that is called a sound is not passed on while it comes", async () => {
  const answer = speech("m-text");
  const spoken = await first.asked();
  const text = Buffer.from("<p>We are moving house, please come again later.</p>".repeat(30));
  await spoken.say(text);
  await spoken.say(text);
  let isAnswered = false;
  void answer.then(() => (isAnswered = true));
  // Whatever is answered from now on comes after this.
  await gateway.get(customer.key, "/v1/balance");
  assert.equal(isAnswered, false);
  spoken.end();
  const response = await answer;
  assert.equal(response.headers.get("content-type"), "text/plain");
});

test("a listener who leaves is charged for the whole, which lies under the run's id and key", async () => {
  const headers = { "idempotency-key": "the listener leaves" };
  const leaving = new AbortController();
  const answer = speech("m-left", { headers, signal: leaving.signal });
  const spoken = await first.asked();
  await spoken.say(one);
  const response = await answer;
  assert.deepEqual(await heard(readerOf(response), heardOfOne.length), heardOfOne);
  leaving.abort();
  await spoken.say(two);
  await spoken.say(three);
  spoken.end();
  await eventuallyOver(response);
  const again = await speech("m-left", { headers });
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.deepEqual(await bytesOf(again), whole);
  assert.equal(again.headers.get("x-skillboss-run-id"), response.headers.get("x-skillboss-run-id"));
  assert.equal(await customer.spent(), cost);
});

test("a sound that was heard to its end is repeated by its key, and charged once", async () => {
  const headers = { "idempotency-key": "heard to the end" };
  const answer = speech("m-kept", { headers });
  const spoken = await first.asked();
  for (const piece of [one, two, three]) await spoken.say(piece);
  spoken.end();
  assert.deepEqual(await bytesOf(await answer), whole);
  const again = await speech("m-kept", { headers });
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.deepEqual(await bytesOf(again), whole);
  assert.equal(await customer.spent(), cost);
});

test("a listener who does not read holds up neither the provider nor the run", async () => {
  const answer = speech("m-slow");
  const spoken = await first.asked();
  const piece = Buffer.concat(Array.from({ length: 4 }, () => mp3Of(60_000)));
  await spoken.say(piece);
  await spoken.say(piece);
  const response = await answer;
  await spoken.say(piece);
  spoken.end();
  await eventuallyOver(response);
  assert.equal(await customer.spent(), cost);
  assert.ok((await bytesOf(response)).equals(Buffer.concat([piece, piece, piece])));
});

test("a sound that was heard is paid for also when it is larger than the plan keeps", async () => {
  const answer = speech("m-large");
  const spoken = await first.asked();
  const piece = Buffer.concat(Array.from({ length: 8 }, () => mp3Of(60_000)));
  for (let count = 0; count < 3; count += 1) await spoken.say(piece);
  spoken.end();
  const response = await answer;
  assert.ok((await bytesOf(response)).equals(Buffer.concat([piece, piece, piece])));
  assert.equal(await customer.spent(), cost);
  const { status, result } = await runOf(response);
  assert.deepEqual([status, result.audio_url], ["completed", undefined]);
  assert.match(result.note, /not kept/);
});

async function eventuallyOver(response: Response): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while ((await runOf(response)).status !== "completed") assert.ok(performance.now() < giveUpAt);
}
