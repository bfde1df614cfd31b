import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { endsClean } from "./support/clean-end.ts";
import { flood, ok } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import type { CallRecord } from "./support/fake-call.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { assertNoLag, withoutLag } from "./support/health-watch.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { openDescriptors, residentBytes } from "./support/process-usage.ts";
import { receiptsOf } from "./support/receipts.ts";
import { rawChat, receivedContent, stream } from "./support/stream-reader.ts";
import type { RawChat } from "./support/stream-reader.ts";

/** Clients that leave, and clients that do not read. */
let p1: FakeUpstream;
let gateway: GatewayProcess;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  // The plan's clients read nothing for as long as its calls may take in all.
  const environment = isWholePlan ? { SKILLBOSS_CALL_TIMEOUT_MS: "300000" } : {};
  gateway = await startGatewayProcess({ p1: p1.baseUrl, a1: p1.origin, environment });
  customer = await gateway.customer({ credits: "100000.00" });
  // The first call of a process is slower than all others.
  await stream(gateway, customer.key, { model: "m-chat" });
});
after(async () => {
  try {
    await endsClean(gateway);
  } finally {
    await p1.stop();
  }
});

type Leaving = (call: RawChat) => void;
const leavings: readonly Leaving[] = [
  // A client that is done writing and still reads is gone as well: nothing tells it from one that closed.
  ({ socket }) => socket.end(),
  ({ socket }) => socket.destroy(),
  ({ socket }) => socket.resetAndDestroy(),
];

type Departure = {
  readonly model: string;
  readonly stream: boolean;
  /** Counted from when the call reached the upstream; else from when it was sent. */
  readonly isUpstream: boolean;
  readonly afterMs: number;
  readonly how: Leaving;
};

/** Leaves after a time; resolves with how long the upstream went on, or undefined when it never heard of the call. */
async function leave(mark: string, departure: Departure): Promise<number | undefined> {
  const seen = (): CallRecord | undefined => p1.log.find(({ bytes }) => bytes.includes(`"${mark}"`));
  const messages = [{ role: "user", content: mark }];
  const call = await rawChat(gateway, customer.key, { ...departure, messages });
  if (departure.isUpstream) await eventually(() => seen() !== undefined, 10_000);
  await pause(departure.afterMs);
  departure.how(call);
  const leftAt = performance.now();
  // Time enough for a call that was still at the door to go upstream in spite of it.
  if (!departure.isUpstream) await pause(1_000);
  if (seen() !== undefined) await eventually(() => seen()?.closedByClientAt !== undefined, 10_000);
  call.socket.destroy();
  const closedAt = seen()?.closedByClientAt;
  return closedAt === undefined ? undefined : closedAt - leftAt;
}

function departure(index: number): Departure {
  const how = leavings[index % 3] ?? assert.fail();
  const upstream = { isUpstream: true, afterMs: index * 5, stream: true, how };
  switch (Math.floor(index / 3) % 5) {
    // While the call is still at the door: its hold takes a few milliseconds.
    case 0:
      return { ...upstream, model: "m-chat", isUpstream: false, afterMs: index % 10 };
    // Before the first token.
    case 1:
      return { ...upstream, model: "m-free" };
    case 2:
      return { ...upstream, model: "m-claude" };
    case 3:
      return { ...upstream, model: "m-free", stream: false };
    default:
      return { ...upstream, model: "m-chat" };
  }
}

/** The plan has 200 streams. */
const departures = planned({ whole: 210, quick: 90 });

// The plan has p99 < 1 s: one may be late.
test("S-01 a client that leaves, in whatever way and at whatever time, closes the upstream within a second", () =>
  withoutLag(gateway, allLeaveInTime));

async function allLeaveInTime(): Promise<void> {
  p1.script("m-chat", ok({ tokens: 1_000, everyMs: 20 }));
  p1.script("m-claude", ok({ tokens: 1_000, everyMs: 20 }));
  p1.script("m-free", ok({ afterMs: 2_500 }));
  const descriptors = openDescriptors(gateway);
  const lags: number[] = [];
  for (let from = 0; from < departures; from += 30) {
    const wave = Array.from({ length: 30 }, (_, index) =>
      leave(`leaver ${from + index}`, departure(from + index)),
    );
    lags.push(...(await Promise.all(wave)).filter((lag) => lag !== undefined));
  }
  const sorted = lags.toSorted((a, b) => a - b);
  assert.ok(sorted.length >= departures * 0.8, `${sorted.length} calls reached the upstream`);
  assert.ok(
    (sorted.at(-2) ?? Infinity) < 1_000,
    `the slowest: ${sorted.slice(-5).map(Math.round).join(", ")} ms`,
  );
  const median = sorted[Math.floor(departures * 0.4)] ?? Infinity;
  assert.ok(median < 200, `median ${median} ms`);
  await eventually(() => p1.open() === 0 && openDescriptors(gateway) <= descriptors + 10, 5_000);
}

test("S-01 a call that its client left is written down as aborted, without a fault of anybody's", async () => {
  p1.script("m-free", ok({ afterMs: 20_000 }));
  p1.script("m-chat", ok({ tokens: 1_000, everyMs: 20 }));
  const { key } = await gateway.customer();
  for (const body of [{ model: "m-free" }, { model: "m-free", stream: false }, { model: "m-chat" }]) {
    const earlier = p1.log.length;
    const call = await rawChat(gateway, key, body);
    await eventually(
      () => p1.log.slice(earlier).some(({ tokens, model }) => model === "m-free" || tokens > 5),
      10_000,
    );
    call.socket.destroy();
  }
  const receipts = await receiptsOf(gateway, key, 3);
  assert.deepEqual(
    receipts.map(({ ending, reason }) => [ending, reason]),
    [1, 2, 3].map(() => ["aborted", null]),
  );
  assert.deepEqual(
    receipts.filter(({ credits }) => Number(credits) > 0).map(({ model }) => model),
    ["m-chat"],
  );
});

/** The last content and the finish in one frame, as Gemini and Ollama tell them, behind `beginning`. */
function finishedAtOnce(beginning: string): Behaviour {
  const frame = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ id: "a", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  return async (call) => {
    call.startStream();
    // In one write: once the client has the beginning, the gateway has the end.
    await call.write(
      frame({ role: "assistant", content: beginning }, null) +
        frame({ content: "word ".repeat(3_000) }, "stop"),
    );
    await call.keepSilent();
  };
}

test("S-01 a client that leaves pays for what it was sent, not for the end that still waited for its usage", async () => {
  for (const beginning of ["", "word "]) {
    p1.script("m-chat", finishedAtOnce(beginning));
    const { key } = await gateway.customer();
    const call = await rawChat(gateway, key, { model: "m-chat" });
    await eventually(() => call.received().includes(`"content":"${beginning}"`), 10_000);
    call.socket.destroy();
    const [receipt] = await receiptsOf(gateway, key, 1);
    assert.equal(receipt.ending, "aborted");
    if (beginning === "") assert.equal(receipt.credits, "0.000000");
    else assert.ok(Number(receipt.credits) > 0 && Number(receipt.credits) < 0.0002, receipt.credits);
  }
});

// The provider sends as fast as it can.
test("S-02 clients that read nothing stall the upstream instead of filling memory, and lose no byte", async () => {
  const clients = planned({ whole: 100, quick: 5 });
  const silentMs = planned({ whole: 30_000, quick: 1_500 });
  const [sizeBytes, tokenBytes] = [16_000_000, 20_000];
  p1.script("m-chat", flood(sizeBytes, tokenBytes));
  // The heap first grows to what this traffic needs when all is well.
  await Promise.all(Array.from({ length: 5 }, () => stream(gateway, customer.key, { model: "m-chat" })));
  // The system gives a connection that was read fast so much room that it might take a whole answer.
  p1.closeIdle();
  const earlier = p1.log.length;
  const residentBefore = residentBytes(gateway);
  const calls: RawChat[] = [];
  // A few at a time: a hundred floods at once would keep this process, which is the provider too, from answering.
  while (calls.length < clients) {
    const few = Array.from({ length: 5 }, () => rawChat(gateway, customer.key, { model: "m-chat" }));
    for (const call of await Promise.all(few)) {
      call.socket.pause();
      calls.push(call);
    }
    const stalled = (): number => p1.log.slice(earlier).filter((one) => one.stalled).length;
    await eventually(() => stalled() === calls.length, 10_000);
  }
  await pause(silentMs - 500);
  const stalled = p1.log.slice(earlier);
  const sentBefore = stalled.map(({ sentBytes }) => sentBytes);
  // The plan has half a MB for each stream: so much is kept of its text, and what was garbage on the way is given back
  // late by a process that has nothing to do.
  const grownBytes = residentBytes(gateway) - residentBefore;
  await pause(500);
  if (isWholePlan) await assertNoLag(gateway);
  assert.deepEqual(
    stalled.map(({ sentBytes }) => sentBytes),
    sentBefore,
    "the upstream's writes block",
  );
  assert.ok(Math.max(...sentBefore) < sizeBytes, "none was sent in full");
  assert.ok(grownBytes < 64e6 + clients * 2e6, `grew by ${Math.round(grownBytes / 1e6)} MB`);
  for (const { socket } of calls) socket.resume();
  await Promise.all(calls.map(({ closed }) => closed));
  for (const call of calls) {
    const { content, isDone } = receivedContent(call.received());
    assert.equal(content.length, sizeBytes);
    assert.ok(isDone && /^x*$/.test(content));
  }
});
