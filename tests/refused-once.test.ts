/** What asking again cannot mend: OpenAI's SDK asks by itself, unless it is told not to. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
let customer: Customer;

before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test" });
});
after(() => endsClean(gateway));

/** A client of theirs that counts what it sends. */
function client(): { readonly openai: OpenAI; readonly sent: () => number } {
  let sent = 0;
  const openai = new OpenAI({
    apiKey: customer.key,
    baseURL: `${gateway.url}/v1`,
    maxRetries: 2,
    fetch: (input, init) => {
      sent += 1;
      return fetch(input, init);
    },
  });
  return { openai, sent: () => sent };
}

for (const [model, code] of [
  ["gpt-image-2", "content_refused"],
  ["flux-1.1-pro", "content_refused"],
  ["runway/gen-4-image", "content_refused"],
  ["fal/flux/schnell", "content_refused"],
  ["luma/photon-1", "content_refused"],
  ["replicate/black-forest-labs/flux-schnell", "content_refused"],
] as const)
  test(`${model}: content that the provider does not make is ${code}, a 400 that is asked once`, async () => {
    const { openai, sent } = client();
    const error: unknown = await openai.images
      .generate({ model, prompt: "[sandbox:job-refused]" })
      .catch((reason: unknown) => reason);
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.deepEqual([error.status, error.code, sent()], [400, code, 1]);
    assert.ok(error.message.includes(`The provider of ${model} does not make`), error.message);
    assert.equal(error.headers?.get("x-should-retry"), "false");
  });

for (const model of [
  "google/veo-3.1",
  "kling/kling-v3",
  "fal/bytedance/seedance-2.0/text-to-video",
  "luma/ray-2",
  "minimax/hailuo-2.3",
])
  test(`${model}: a video that the provider does not make for its content is content_refused`, async () => {
    const answer = await fetch(`${gateway.url}/v1/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model, inputs: { prompt: "[sandbox:job-refused]" } }),
    });
    // The answer of the API under test.
    const { error } = (await answer.json()) as { readonly error?: { readonly code?: string } };
    assert.deepEqual([answer.status, error?.code], [400, "content_refused"]);
    assert.equal(answer.headers.get("x-skillboss-cost"), "0.000000");
  });

for (const model of ["flux-1.1-pro", "fal/flux/schnell"])
  test(`${model}: a run that failed at its provider is over then, and not asked for again by their client`, async () => {
    const { openai, sent } = client();
    const error: unknown = await openai.images
      .generate({ model, prompt: "[sandbox:job-fail]" }, { timeout: 10_000 })
      .catch((reason: unknown) => reason);
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.deepEqual([error.status, error.code, sent()], [502, "run_failed", 1]);
  });

test("an unknown outcome says that it is not to be asked again, and names no time to do so", async () => {
  const response = await fetch(`${gateway.url}/v1/send-email`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ title: "Hello", body_text: "[sandbox:fault-cut]", receivers: ["a@example.com"] }),
  });
  // The answer of the API under test.
  const { error } = (await response.json()) as { readonly error?: { readonly code?: string } };
  assert.deepEqual([response.status, error?.code], [502, "outcome_unknown"]);
  assert.deepEqual(
    [response.headers.get("x-should-retry"), response.headers.get("retry-after")],
    ["false", null],
  );
});

test("a request that waits for a run which somebody calls off is told so", async () => {
  const { openai, sent } = client();
  const waiting = openai.images
    .generate({ model: "flux-1.1-pro", prompt: "[sandbox:job-never]" })
    .catch((reason: unknown) => reason);
  let id: string | undefined;
  while (id === undefined) {
    const { body } = await gateway.get(customer.key, "/v1/job?status=running");
    id = body.jobs[0]?.id;
  }
  const headers = { authorization: `Bearer ${customer.key}` };
  const canceled = await fetch(`${gateway.url}/v1/run/${id}/cancel`, { method: "POST", headers });
  assert.equal(canceled.status, 200);
  const error: unknown = await waiting;
  assert.ok(error instanceof OpenAI.APIError, String(error));
  assert.deepEqual([error.status, error.code, sent()], [409, "canceled", 1]);
});
