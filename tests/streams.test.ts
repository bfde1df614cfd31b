import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { _iterSSEMessages as anthropicEvents } from "@anthropic-ai/sdk/core/streaming";
import { EventSourceParserStream } from "eventsource-parser/stream";
import OpenAI from "openai";
import { endsClean } from "./support/clean-end.ts";
import {
  cutAfter,
  endWithoutFinish,
  errorEventAfter,
  noUsage,
  ok,
  resetAfter,
  status,
} from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { residentBytes } from "./support/process-usage.ts";
import { hello, stream } from "./support/stream-reader.ts";
import type { StreamSeen } from "./support/stream-reader.ts";
import { receiptOf } from "./support/receipts.ts";

/** Silence longer than this brings a comment. */
const keepAliveMs = planned({ whole: 15_000, quick: 600 });
/** Of the provider, before the first byte and between two: the timers must allow it. */
const silentMs = planned({ whole: 20_000, quick: 2_000 });
const wholeTimers = {
  SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "60000",
  SKILLBOSS_IDLE_TIMEOUT_MS: "60000",
  SKILLBOSS_CALL_TIMEOUT_MS: "900000",
};
/** A busy machine may be this much late. */
const slackMs = 400;

let p1: FakeUpstream;
let p2: FakeUpstream;
let gateway: GatewayProcess;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  p2 = await startFakeUpstream();
  gateway = await startGatewayProcess({
    p1: p1.baseUrl,
    p2: p2.baseUrl,
    a1: p1.origin,
    // Models of their own for the cases that run side by side.
    moreProviders: { silent: p1.baseUrl, later: p1.baseUrl, quick: p1.baseUrl, long: p1.baseUrl },
    environment: { SKILLBOSS_KEEPALIVE_MS: String(keepAliveMs), ...(isWholePlan ? wholeTimers : {}) },
  });
  customer = await gateway.customer({ credits: "100000.00" });
  // The first call of a process is slower than all others.
  await stream(gateway, customer.key, { model: "m-chat" });
});
after(async () => {
  try {
    await endsClean(gateway);
  } finally {
    await Promise.all([p1.stop(), p2.stop()]);
  }
});

describe("streams in time", { concurrency: 10 }, () => {
  test("S-03 each token is with the client as soon as the upstream sent it", async () => {
    p1.script("m-two", ok({ tokens: 8, firstMs: 300, everyMs: planned({ whole: 1_000, quick: 250 }) }));
    const seen = await stream(gateway, customer.key, { model: "m-two" });
    const { headers } = seen;
    assert.match(headers.get("content-type") ?? "", /^text\/event-stream/);
    assert.match(headers.get("cache-control") ?? "", /no-store|no-cache/);
    assert.equal(headers.get("x-accel-buffering"), "no");
    assert.equal(headers.get("content-length"), null);
    assert.equal(headers.get("content-encoding"), null);
    const sentAt = p1.calls("m-two")[0]?.tokenTimes ?? [];
    const cameAt = seen.frameTimes.filter(
      (_, index) => seen.frames[index]?.choices[0]?.delta.content === "tok ",
    );
    assert.equal(cameAt.length, 8);
    const lags = cameAt.map((at, index) => at - (sentAt[index] ?? 0)).toSorted((a, b) => a - b);
    assert.ok((lags[4] ?? Infinity) <= 50, `median lag ${lags[4]} ms`);
    const mostMs = planned({ whole: 50, quick: 50 + slackMs });
    assert.ok((lags[7] ?? Infinity) <= mostMs, `worst lag ${lags[7]} ms`);
  });

  for (const model of ["m-silent", "m-claude"]) {
    test(`S-04 ${model}: silence before and between tokens is filled with comments that clients do not see`, async () => {
      p1.script(model, silentTwice(silentMs));
      const seen = await stream(gateway, customer.key, { model });
      assert.equal(seen.content, "tok ");
      assert.deepEqual([seen.finishReason, seen.dones, seen.error], ["stop", 1, undefined]);
      const times = [seen.startedAt, ...seen.commentTimes, ...seen.frameTimes].toSorted((a, b) => a - b);
      const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      assert.ok(Math.max(...gaps) <= keepAliveMs + slackMs, `gaps: ${gaps.map(Math.round).join(", ")} ms`);
      const firstToken = seen.frameTimes[0] ?? 0;
      const least = planned({ whole: 1, quick: 3 });
      const early = seen.commentTimes.filter((time) => time < firstToken).length;
      assert.ok(early >= least, `${early} before the first token`);
      assert.ok(seen.commentTimes.length - early >= least, "between tokens");
      for (const data of [await byAnthropic(seen.text), await byVercel(seen.text)]) {
        assert.equal(data.pop(), "[DONE]");
        assert.deepEqual(
          data.map((json) => JSON.parse(json)),
          seen.frames,
        );
      }

      const client = new OpenAI({ apiKey: customer.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
      const chunks = await client.chat.completions.create({
        model,
        messages: [...hello.messages],
        stream: true,
      });
      let content = "";
      for await (const chunk of chunks) content += chunk.choices[0]?.delta.content ?? "";
      assert.equal(content, "tok ");
    });
  }

  test("S-04 after comments another provider may still take over, and only its answer is charged", async () => {
    p1.script("m-later-two", silenceThen(2.5 * keepAliveMs, status(503)));
    p2.script("m-later-two", ok({ tokens: 7 }));
    const { key } = await gateway.customer();
    const seen = await stream(gateway, key, { model: "m-later-two" });
    assert.ok(seen.commentTimes.length >= 2);
    assert.deepEqual(
      [seen.status, seen.content, seen.dones, seen.error],
      [200, "tok ".repeat(7), 1, undefined],
    );
    const receipt = await receiptOf(gateway, key, seen.headers.get("x-request-id"));
    assert.deepEqual(
      [receipt.served_by, receipt.credits, receipt.ending],
      ["p2/m-later-two", "0.000320", "done"],
    );
  });

  test("S-04 when no provider answers after comments, the stream ends with an error event at no charge", async () => {
    p1.script("m-later", silenceThen(2.5 * keepAliveMs, status(503, { "retry-after": "7" })));
    const { key } = await gateway.customer();
    const seen = await stream(gateway, key, { model: "m-later" });
    assert.ok(seen.commentTimes.length >= 2);
    assertErrorEvent(seen, "upstream_unavailable");
    assert.equal(seen.frames.length, 1);
    const receipt = await receiptOf(gateway, key, seen.headers.get("x-request-id"));
    assert.deepEqual(
      [receipt.credits, receipt.ending, receipt.reason],
      ["0.000000", "failed", "upstream_unavailable"],
    );
  });

  test("S-04 a refusal within a second comes with its HTTP status, not inside a stream", async () => {
    p1.script("m-quick", silenceThen(100, status(400)));
    const refused = await stream(gateway, customer.key, { model: "m-quick" });
    assert.deepEqual([refused.status, refused.error.code], [400, "upstream_rejected_request"]);
    p1.script("m-quick", silenceThen(100, status(429, { "retry-after": "7" })));
    const throttled = await stream(gateway, customer.key, { model: "m-quick" });
    assert.deepEqual([throttled.status, throttled.error.code], [503, "upstream_unavailable"]);
    assert.equal(throttled.headers.get("retry-after"), "7");
    for (const { headers } of [refused, throttled])
      assert.match(headers.get("content-type") ?? "", /^application\/json/);
  });

  // Longer than every timer but the total one.
  test("S-10 a stream that outlives all timers between tokens completes and is charged exactly", async () => {
    const tokens = planned({ whole: 600, quick: 25 });
    const everyMs = planned({ whole: 1_000, quick: 200 });
    p1.script("m-long", ok({ tokens, everyMs, prompt: 1_000, cached: 400 }));
    const { key } = await gateway.customer();
    const streaming = Promise.all(Array.from({ length: 5 }, () => stream(gateway, key, { model: "m-long" })));
    const flat = isWholePlan ? staysFlat((tokens * everyMs) / 4, streaming) : undefined;
    for (const { content, dones, headers, endedAt, startedAt } of await streaming) {
      assert.ok(endedAt - startedAt > tokens * everyMs * 0.9);
      assert.deepEqual([content, dones], ["tok ".repeat(tokens), 1]);
      const receipt = await receiptOf(gateway, key, headers.get("x-request-id"));
      const credits = ((600 * 2.5 + 400 * 0.25 + tokens * 10) / 1e6).toFixed(6);
      assert.deepEqual([receipt.credits, receipt.estimated, receipt.ending], [credits, false, "done"]);
    }
    await flat;
  });
});

/** The events' data as Anthropic's SDK reads them, */
async function byAnthropic(text: string): Promise<string[]> {
  const data: string[] = [];
  for await (const event of anthropicEvents(new Response(text), new AbortController())) data.push(event.data);
  return data;
}

/** and as Vercel's does, whose parser this is. */
async function byVercel(text: string): Promise<string[]> {
  const data: string[] = [];
  const bytes = new Blob([text]).stream();
  for await (const event of bytes
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream()))
    data.push(event.data);
  return data;
}

const flatBytes = 16e6;

/** The gateway's memory does not grow while streams go on, once they are under way. */
async function staysFlat(afterMs: number, streaming: Promise<unknown>): Promise<void> {
  await pause(afterMs);
  const before = residentBytes(gateway);
  await streaming;
  const grown = residentBytes(gateway) - before;
  assert.ok(grown < flatBytes, `grew by ${Math.round(grown / 1e6)} MB`);
}

/** Silence before the answer begins, and once more before its only token. */
function silentTwice(silentMs: number): Behaviour {
  return ok({ tokens: 1, afterMs: silentMs, everyMs: silentMs });
}

function silenceThen(silentMs: number, behaviour: Behaviour): Behaviour {
  return async (call) => {
    await call.pause(silentMs);
    await behaviour(call);
  };
}

/** A stream that ends as broken: one last event that clients take for an error, and no end mark. */
function assertErrorEvent(seen: StreamSeen, code: string): void {
  assert.deepEqual([seen.status, seen.dones], [200, 0]);
  assert.match(seen.headers.get("content-type") ?? "", /^text\/event-stream/);
  const last = seen.frames.at(-1);
  assert.equal(last.error.code, code);
  assert.equal(typeof last.error.type, "string");
  assert.equal(typeof last.error.message, "string");
  assert.equal(last.error.request_id, seen.headers.get("x-request-id"));
  assert.deepEqual(last.choices, [{ index: 0, delta: {}, finish_reason: "error" }]);
  assert.equal(seen.frames.filter((frame) => frame.error !== undefined).length, 1);
}

const foreignText = "secret-p1 at 127.0.0.1:4711 (/srv/app/index.js:12:3)";
const breaks: Readonly<Record<string, readonly [Behaviour, string]>> = {
  "an error event": [errorEventAfter(10, foreignText), "upstream_error"],
  "a reset": [resetAfter(10), "upstream_error"],
  "a connection cut": [cutAfter(10), "upstream_error"],
  "an end without a finish": [endWithoutFinish(10), "upstream_invalid_response"],
};

for (const model of ["m-chat", "m-claude"]) {
  for (const [name, [behaviour, code]] of Object.entries(breaks)) {
    test(`S-07 ${model}: ${name} after 10 tokens ends the stream with one error event and is not charged`, async () => {
      p1.script(model, behaviour);
      const { key } = await gateway.customer();
      const seen = await stream(gateway, key, { model });
      assert.equal(seen.content, "tok ".repeat(10));
      assertErrorEvent(
        seen,
        model === "m-claude" && name === "an error event" ? "upstream_unavailable" : code,
      );
      assert.doesNotMatch(seen.text, /secret|127\.0\.0\.1|localhost|\.js|undici|ECONN|node_modules/);
      const receipt = await receiptOf(gateway, key, seen.headers.get("x-request-id"));
      assert.deepEqual(
        [receipt.credits, receipt.ending, receipt.reason],
        ["0.000000", "failed", seen.error.code],
      );

      // The plan has all SDKs: of those that read this wire we have OpenAI's.
      const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
      const chunks = await client.chat.completions.create({
        model,
        messages: [...hello.messages],
        stream: true,
      });
      let tokens = 0;
      const reading = async (): Promise<void> => {
        for await (const chunk of chunks) tokens += chunk.choices[0]?.delta.content === "tok " ? 1 : 0;
      };
      await assert.rejects(reading, OpenAI.APIError);
      assert.equal(tokens, 10);
    });
  }

  for (const [name, behaviour] of [
    ["told", ok({ tokens: 20, prompt: 100, cached: 40 })],
    ["not told by the provider", noUsage({ tokens: 20 })],
  ] as const) {
    test(`S-08 ${model}: usage ${name} is shown in one chunk to those who asked, and is what is charged`, async () => {
      p1.script(model, behaviour);
      const { key } = await gateway.customer();
      const asked = await stream(gateway, key, { model, stream_options: { include_usage: true } });
      const unasked = await stream(gateway, key, { model });
      assert.ok(unasked.frames.every((frame) => (frame.usage ?? null) === null));
      const withUsage = asked.frames.filter((frame) => (frame.usage ?? null) !== null);
      assert.equal(withUsage.length, 1);
      assert.equal(withUsage[0], asked.frames.at(-1), "right before [DONE]");
      const { usage, choices } = withUsage[0];
      assert.deepEqual(choices, []);
      assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
      const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
      if (name === "told")
        assert.deepEqual([usage.prompt_tokens, cached, usage.completion_tokens], [100, 40, 20]);
      const cost = Math.ceil(
        2.5 * (usage.prompt_tokens - cached) + 0.25 * cached + 10 * usage.completion_tokens,
      );
      for (const { headers } of [asked, unasked]) {
        const receipt = await receiptOf(gateway, key, headers.get("x-request-id"));
        assert.deepEqual([receipt.credits, receipt.estimated], [(cost / 1e6).toFixed(6), name !== "told"]);
      }
      if (model === "m-claude") return;
      const calls = p1.calls(model).slice(-2);
      assert.deepEqual(
        calls.map(({ json }) => json["stream_options"]),
        [1, 2].map(() => ({ include_usage: true })),
      );
    });
  }
}

for (const model of ["m-chat", "m-claude"])
  test(`${model}: an answer longer than what is kept of its text is counted in proportion`, async () => {
    // A word and its space are a token: 400,000 of them.
    p1.script(model, noUsage({ tokens: 40, text: " word".repeat(10_000) }));
    const seen = await stream(gateway, customer.key, { model, stream_options: { include_usage: true } });
    const { completion_tokens: counted } = seen.frames.at(-1).usage;
    assert.ok(counted > 396_000 && counted < 404_000, `${counted} tokens`);
  });
