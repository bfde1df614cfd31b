import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import LumaAI, { AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from "lumaai";
import sharp from "sharp";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

const client = (authToken = "k"): LumaAI =>
  new LumaAI({ authToken, baseURL: `${sandbox.url}/luma/dream-machine/v1`, maxRetries: 0 });

async function refusedWith(asked: Promise<unknown>): Promise<unknown> {
  return await asked.catch((error: unknown) => error);
}

test("a video is queued, dreamt and completed", async () => {
  const luma = client();
  const begun = await luma.generations.video.create({
    model: "ray-2",
    prompt: "A fox in snow",
    resolution: "540p",
    duration: "5s",
    aspect_ratio: "9:16",
    keyframes: { frame0: { type: "image", url: "https://example.com/a.png" } },
  });
  assert.deepEqual([begun.state, begun.generation_type, begun.model], ["queued", "video", "ray-2"]);
  const id = begun.id ?? "";
  now += 20;
  assert.equal((await luma.generations.get(id)).state, "dreaming");
  now += 20;
  const done = await luma.generations.get(id);
  assert.equal(done.state, "completed");
  const file = await fetch(done.assets?.video ?? "");
  assert.deepEqual([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
});

test("an image has about two megapixels in the shape asked for", async () => {
  const luma = client();
  const begun = await luma.generations.image.create({
    model: "photon-flash-1",
    prompt: "A fox in snow",
    aspect_ratio: "1:1",
    format: "png",
  });
  now += 40;
  const { assets } = await luma.generations.get(begun.id ?? "");
  const response = await fetch(assets?.image ?? "");
  const { width, height, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
  assert.deepEqual([width, height, format], [1_440, 1_440, "png"]);
});

test("a generation fails with its reason, or is deleted", async () => {
  const luma = client();
  const begun = async (order: string) => {
    const made = await luma.generations.create({ model: "ray-2", prompt: `A fox [sandbox:${order}]` });
    return made.id ?? "";
  };
  const [failed, refused, endless] = [
    await begun("job-fail"),
    await begun("job-refused"),
    await begun("job-never"),
  ];
  now += 40;
  for (const id of [failed, refused]) {
    const { state, failure_reason } = await luma.generations.get(id);
    assert.deepEqual([state, typeof failure_reason], ["failed", "string"]);
  }
  await luma.generations.delete(endless);
  assert.equal((await luma.generations.get(endless)).state, "failed");
});

test("the account tells its credits, and the API that it is there", async () => {
  assert.ok((await client().credits.get()).credit_balance > 0);
  assert.equal((await client().ping.check()).message, "pong");
});

test("refusals are the SDK's own errors", async () => {
  const video = (prompt: string, authToken?: string) =>
    client(authToken).generations.video.create({ model: "ray-2", prompt });
  assert.ok((await refusedWith(video("A fox", "invalid"))) instanceof AuthenticationError);
  assert.ok((await refusedWith(video("A"))) instanceof BadRequestError);
  assert.ok((await refusedWith(video("A fox [sandbox:fault-429]"))) instanceof RateLimitError);
  assert.ok((await refusedWith(client().generations.get("nobody"))) instanceof NotFoundError);
  const broke = await refusedWith(video("A fox [sandbox:fault-402]"));
  assert.ok(broke instanceof BadRequestError && /Insufficient credits/.test(broke.message));
});
