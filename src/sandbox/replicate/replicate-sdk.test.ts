import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Replicate from "replicate";
import sharp from "sharp";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const client = (auth = "k"): Replicate => new Replicate({ auth, baseUrl: `${sandbox.url}/replicate/v1` });

async function pictureAt(url: unknown) {
  assert.ok(typeof url === "string", `${String(url)} is no address`);
  const response = await fetch(url);
  return await sharp(Buffer.from(await response.arrayBuffer())).metadata();
}

test("a model that makes one picture gives its address, after waiting in one request", async () => {
  const input = { prompt: "A fox", aspect_ratio: "16:9", output_format: "webp" };
  const seen: string[] = [];
  const output = await client().run("black-forest-labs/flux-1.1-pro", { input }, ({ status }) => {
    seen.push(status);
  });
  assert.deepEqual(seen, ["succeeded", "succeeded"]);
  const { width, height, format } = await pictureAt(output);
  assert.deepEqual([width, height, format], [1_360, 768, "webp"]);
});

test("a model that makes several gives a list, and one that is polled passes through its states", async () => {
  const input = { prompt: "A fox [sandbox:job-ms-300]", num_outputs: 3 };
  const seen = new Set<string>();
  const output = await client().run(
    "black-forest-labs/flux-schnell",
    { input, wait: { mode: "poll", interval: 20 } },
    ({ status }) => {
      seen.add(status);
    },
  );
  assert.ok(Array.isArray(output) && output.length === 3);
  assert.equal(new Set(output).size, 3);
  assert.deepEqual([...seen], ["starting", "processing", "succeeded"]);
});

test("an upscaler takes an uploaded file and gives a larger picture", async () => {
  const image = new Blob([new Uint8Array([1, 2, 3])], { type: "image/png" });
  const output = await client().run("nightmareai/real-esrgan", { input: { image, scale: 2 } });
  assert.equal((await pictureAt(output)).width, 1_024);
});

test("a version is enough, and the prediction tells the time that is charged", async () => {
  const replicate = client();
  const version = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa";
  const begun = await replicate.predictions.create({ version, input: { prompt: "A fox" } });
  assert.deepEqual([begun.status, begun.output, begun.version], ["starting", null, version]);
  assert.deepEqual(begun.input, { prompt: "A fox" });
  const done = await replicate.wait(begun, { interval: 20 });
  assert.equal(done.status, "succeeded");
  assert.ok((done.metrics?.predict_time ?? 0) >= 0.5);
  assert.match(done.urls.cancel, /\/cancel$/);
});

test("a prediction is cancelled, fails, is refused", async () => {
  const replicate = client();
  const create = (prompt: string) =>
    replicate.predictions.create({ model: "black-forest-labs/flux-dev", input: { prompt } });
  const endless = await create("[sandbox:job-never]");
  assert.equal((await replicate.predictions.cancel(endless.id)).status, "canceled");
  assert.equal((await replicate.predictions.get(endless.id)).status, "canceled");
  await assert.rejects(
    async () => await replicate.wait(await create("[sandbox:job-fail]"), { interval: 20 }),
    /Prediction failed/,
  );
  await assert.rejects(
    async () => await replicate.wait(await create("[sandbox:job-refused]"), { interval: 20 }),
    /sensitive/,
  );
});

test("refusals are problems", async () => {
  const refusedWith = async (asked: Promise<unknown>) => {
    const reason: unknown = await asked.catch((error: unknown) => error);
    assert.ok(reason instanceof Error && "response" in reason && reason.response instanceof Response);
    assert.equal(reason.response.headers.get("content-type"), "application/problem+json");
    const [, body = ""] = /: (\{.*\})\.$/s.exec(reason.message) ?? [];
    return JSON.parse(body);
  };
  const run = (input: object, auth?: string) =>
    client(auth).predictions.create({ model: "black-forest-labs/flux-dev", input });
  const invalid = await refusedWith(run({}));
  assert.deepEqual([invalid.status, invalid.invalid_fields[0].field], [422, "input.prompt"]);
  assert.equal((await refusedWith(run({ prompt: "x" }, "invalid"))).title, "Unauthenticated");
  assert.equal((await refusedWith(run({ prompt: "x [sandbox:fault-402]" }))).title, "Insufficient credit");
  assert.equal((await refusedWith(client().predictions.get("nobody"))).status, 404);
});
