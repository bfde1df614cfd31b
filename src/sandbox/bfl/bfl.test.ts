import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import sharp from "sharp";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** There is no SDK: what is checked are the fields and states that the provider documents. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

const headers = { "x-key": "k", "content-type": "application/json" };

async function submit(model: string, body: object, extra: Record<string, string> = {}) {
  const response = await fetch(`${sandbox.url}/bfl/v1/${model}`, {
    method: "POST",
    headers: { ...headers, ...extra },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function poll(url: string) {
  const response = await fetch(url, { headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test("a task is pending until its time is over, then it has a picture of the size asked for", async () => {
  const { status, body } = await submit("flux-pro-1.1", {
    prompt: "A fox",
    width: 512,
    height: 256,
    seed: 7,
  });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["id", "polling_url", "cost", "input_mp", "output_mp"]);
  assert.equal(body.cost, 4);
  assert.equal((await poll(body.polling_url)).body.status, "Pending");
  now += 40;
  const { body: ready } = await poll(body.polling_url);
  assert.equal(ready.status, "Ready");
  assert.equal(ready.result.seed, 7);
  assert.equal(ready.result.prompt, "A fox");
  const picture = await fetch(ready.result.sample);
  const { width, height, format } = await sharp(Buffer.from(await picture.arrayBuffer())).metadata();
  assert.deepEqual({ width, height, format }, { width: 512, height: 256, format: "jpeg" });
  assert.deepEqual((await poll(body.polling_url)).body, ready);
});

test("the picture's address dies after ten minutes, or when ordered", async () => {
  const { body } = await submit("flux-2-pro", { prompt: "A fox", output_format: "png" });
  const short = await submit("flux-2-pro", { prompt: "A fox [sandbox:file-ms-1000]" });
  now += 40;
  const url = (await poll(body.polling_url)).body.result.sample;
  const shortUrl = (await poll(short.body.polling_url)).body.result.sample;
  now += 1_000;
  assert.equal((await fetch(shortUrl)).status, 403);
  now += 598_000;
  assert.equal((await fetch(url)).status, 200);
  now += 1_000;
  assert.equal((await fetch(url)).status, 403);
});

test("who asks to be called gets an id to ask by, and no address", async () => {
  const { body } = await submit("flux-dev", { prompt: "A fox", webhook_url: "https://example.com/news" });
  const { id, ...told } = body;
  assert.deepEqual(told, {
    status: "Pending",
    webhook_url: "https://example.com/news",
    cost: 2.5,
    input_mp: 0,
    output_mp: 0.75,
  });
  now += 40;
  assert.equal((await poll(`${sandbox.url}/bfl/v1/get_result?id=${id}`)).body.status, "Ready");
});

test("a price follows the pixels", async () => {
  const cost = async (size: object) => (await submit("flux-2-pro", { prompt: "x", ...size })).body.cost;
  assert.equal(await cost({}), 3);
  assert.equal(await cost({ width: 2_048, height: 1_024 }), 4.5);
  assert.equal(await cost({ width: 2_048, height: 2_048 }), 7.5);
});

test("jobs end as ordered: in failure, in moderation, never; and are unknown at first", async () => {
  const begun = async (order: string): Promise<string> =>
    (await submit("flux-dev", { prompt: `A fox [sandbox:${order}]` })).body.polling_url;
  const urls = {
    fail: await begun("job-fail"),
    refused: await begun("job-refused"),
    never: await begun("job-never"),
    long: await begun("job-ms-60000"),
    unknown: await begun("unknown-2"),
    late: await begun("poll-503"),
  };
  now += 50_000;
  assert.equal((await poll(urls.fail)).body.status, "Error");
  assert.equal((await poll(urls.refused)).body.status, "Content Moderated");
  assert.equal((await poll(urls.never)).body.status, "Pending");
  assert.equal((await poll(urls.long)).body.status, "Pending");
  const unknown = await poll(urls.unknown);
  assert.deepEqual([unknown.status, unknown.body.status], [404, "Task not found"]);
  assert.equal((await poll(urls.unknown)).status, 404);
  assert.equal((await poll(urls.unknown)).body.status, "Ready");
  assert.equal((await poll(urls.late)).status, 503);
  assert.equal((await poll(urls.late)).body.status, "Ready");
  now += 10_000;
  assert.equal((await poll(urls.long)).body.status, "Ready");
});

test("refusals have the provider's form", async () => {
  const missing = await submit("flux-pro-1.1", {});
  assert.equal(missing.status, 422);
  assert.deepEqual(missing.body.detail[0].loc, ["body", "prompt"]);
  assert.equal(missing.body.detail[0].type, "missing");
  const odd = await submit("flux-pro-1.1", { prompt: "x", width: 500 });
  assert.deepEqual([odd.status, odd.body.detail[0].loc], [422, ["body", "width"]]);
  assert.deepEqual(await submit("flux-9", { prompt: "x" }), { status: 404, body: { detail: "Not Found" } });
  const wrong = await submit("flux-pro-1.1", { prompt: "x" }, { "x-key": "invalid" });
  assert.deepEqual(wrong, { status: 403, body: { detail: "Not authenticated" } });
  const broke = await submit("flux-pro-1.1", { prompt: "x [sandbox:fault-402]" });
  assert.deepEqual(broke, { status: 402, body: { detail: "Insufficient credits" } });
  const unknown = await poll(`${sandbox.url}/bfl/v1/get_result?id=nobody`);
  assert.deepEqual([unknown.status, unknown.body.status], [404, "Task not found"]);
});
