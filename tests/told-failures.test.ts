/** Failures of a provider that look like an answer, or like a bad request of the customer. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { status } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { receiptOf } from "./support/receipts.ts";
import { hello, stream } from "./support/stream-reader.ts";

let p1: FakeUpstream;
let p2: FakeUpstream;
let gateway: Gateway;
before(async () => {
  p1 = await startFakeUpstream();
  p2 = await startFakeUpstream();
  // Providers of their own, because one that failed rests for a while.
  const moreProviders = { poor: p1.baseUrl, poorer: p1.baseUrl, full: p1.baseUrl, fuller: p1.baseUrl };
  gateway = await startGateway({ p1: p1.baseUrl, p2: p2.baseUrl, moreProviders });
});
after(() => endsClean(gateway, p1, p2));

/** What a client got, whole or streamed. */
async function ask(key: string, model: string, isStream: boolean) {
  if (isStream) {
    const seen = await stream(gateway, key, { model });
    return { ...seen, code: seen.error?.code, requestId: seen.headers.get("x-request-id") };
  }
  const response = await gateway.chat(key, { ...hello, model });
  const json = JSON.parse(await response.text());
  return {
    status: response.status,
    content: json.choices?.[0].message.content ?? "",
    finishReason: json.choices?.[0].finish_reason,
    code: json.error?.code,
    requestId: response.headers.get("x-request-id"),
  };
}

async function creditsOf(key: string, requestId: string | null): Promise<string> {
  return (await receiptOf(gateway, key, requestId)).credits;
}

/** DeepSeek's end of a generation for which its capacity did not last: with usage, and with text or before any. */
function brokenOff(content: string): Behaviour {
  const reason = "insufficient_system_resource";
  const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
  const head = { id: "a", created: 1_700_000_000, model: "up", usage };
  const chunk = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  return async (call) => {
    if (!call.record.stream) {
      const message = { role: "assistant", content };
      const choices = [{ index: 0, message, finish_reason: reason }];
      call.answerJson(200, { ...head, object: "chat.completion", choices });
      return;
    }
    call.startStream();
    if (content !== "") await call.write(chunk({ content }, null));
    await call.write(`${chunk({}, reason)}data: [DONE]\n\n`);
    await call.end();
  };
}

const arrearage = { error: { code: "Arrearage", param: null, message: "Access denied.", type: "Arrearage" } };

for (const [form, isStream, poor, full] of [
  ["whole", false, "poor", "full"],
  ["streamed", true, "poorer", "fuller"],
] as const) {
  test(`${form}: messages that a provider's rules on content forbid are content_refused, cost nothing, and are asked once`, async () => {
    p1.script("m-two", status(400, {}, { error: { code: "content_filter", message: "filtered" } }));
    const { key } = await gateway.customer();
    const [before, others] = [p1.calls("m-two").length, p2.calls("m-two").length];
    const seen = await ask(key, "m-two", isStream);
    assert.deepEqual([seen.status, seen.code], [400, "content_refused"]);
    assert.deepEqual([p1.calls("m-two").length, p2.calls("m-two").length], [before + 1, others]);
    assert.equal(await creditsOf(key, seen.requestId), "0.000000");
  });

  test(`${form}: a debt of ours that a provider tells as a bad request is made up for by the next one`, async () => {
    p1.script(`m-${poor}-two`, status(400, {}, arrearage));
    const { key } = await gateway.customer();
    const seen = await ask(key, `m-${poor}-two`, isStream);
    assert.deepEqual([seen.status, p2.calls(`m-${poor}-two`).length], [200, 1]);
  });

  test(`${form}: a debt of ours at the only provider is our failure, at no cost`, async () => {
    p1.script(`m-${poor}`, status(400, {}, arrearage));
    const { key } = await gateway.customer();
    const seen = await ask(key, `m-${poor}`, isStream);
    assert.deepEqual([seen.status, seen.code], [503, "upstream_unavailable"]);
    assert.equal(await creditsOf(key, seen.requestId), "0.000000");
  });

  test(`${form}: what a provider broke off for lack of capacity is asked of the next one before the first byte`, async () => {
    p1.script(`m-${full}-two`, brokenOff(isStream ? "" : "half an ans"));
    const { key } = await gateway.customer();
    const seen = await ask(key, `m-${full}-two`, isStream);
    assert.deepEqual([seen.status, seen.finishReason], [200, "stop"]);
    assert.equal(p2.calls(`m-${full}-two`).length, 1);
  });
}

test("what a provider broke off for lack of capacity is no answer and costs nothing", async () => {
  p1.script("m-chat", brokenOff("half an ans"));
  const { key } = await gateway.customer();
  const whole = await ask(key, "m-chat", false);
  assert.deepEqual([whole.status, whole.code], [503, "upstream_unavailable"]);
  assert.equal(await creditsOf(key, whole.requestId), "0.000000");
});

test("a stream broken off for lack of capacity ends with an error chunk and costs nothing", async () => {
  p1.script("m-chat", brokenOff("half an ans"));
  const { key } = await gateway.customer();
  const seen = await stream(gateway, key, { model: "m-chat" });
  assert.deepEqual([seen.status, seen.dones, seen.content], [200, 0, "half an ans"]);
  assert.deepEqual([seen.finishReason, seen.error.code], ["error", "upstream_unavailable"]);
  assert.equal(await creditsOf(key, seen.headers.get("x-request-id")), "0.000000");
});
