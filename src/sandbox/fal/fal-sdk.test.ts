import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiError, ValidationError, createFalClient } from "@fal-ai/client";
import type { FalClient } from "@fal-ai/client";
import sharp from "sharp";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK; it has no option for an address, so its requests are turned on their way out. */

let sandbox: RunningSandbox;
let laterMs = 0;
before(async () => {
  sandbox = await startSandbox({ now: () => Date.now() + laterMs });
});
after(async () => {
  await sandbox.stop();
});

/** As texts, not as literals: the SDK's types follow the names of apps, and not all of their inputs. */
const flux: string = "fal-ai/flux/dev";
const veo: string = "fal-ai/veo3/fast";

const client = (credentials = "k"): FalClient =>
  createFalClient({
    credentials,
    retry: { maxRetries: 0 },
    requestMiddleware: async (request) => ({
      ...request,
      url: request.url
        .replace("https://queue.fal.run", `${sandbox.url}/fal`)
        .replace("https://fal.run", `${sandbox.url}/fal-run`),
    }),
  });

async function pictureAt(url: string) {
  const response = await fetch(url);
  return await sharp(Buffer.from(await response.arrayBuffer())).metadata();
}

test("pictures go through the queue and come with their addresses and sizes", async () => {
  const seen: string[] = [];
  const input = { prompt: "A fox [sandbox:job-ms-80000]", num_images: 2, image_size: "landscape_16_9" };
  const { data, requestId } = await client().subscribe(flux, {
    input,
    pollInterval: 20,
    logs: true,
    onQueueUpdate: ({ status }) => {
      if (seen.at(-1) !== status) seen.push(status);
      laterMs += 40_000;
    },
  });
  assert.deepEqual(seen, ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]);
  assert.notEqual(requestId, "");
  assert.equal(data.images.length, 2);
  const [image] = data.images;
  assert.deepEqual([image?.width, image?.height], [1_024, 576]);
  const { width, height, format } = await pictureAt(image?.url ?? "");
  assert.deepEqual([width, height, format], [1_024, 576, "jpeg"]);
});

test("each kind of model has a result of its shape", async () => {
  const run = async (app: string, input: object): Promise<Record<string, unknown>> =>
    (await client().run(app, { input })).data;
  const upscaled = await run("fal-ai/esrgan", { image_url: "https://example.com/a.png" });
  assert.ok("image" in upscaled);
  const video = await run("fal-ai/kling-video/v2.5/pro/text-to-video", { prompt: "Waves", duration: "10" });
  assert.ok("video" in video);
  assert.ok("audio" in (await run("fal-ai/kokoro/american-english", { prompt: "Hello" })));
  assert.ok("text" in (await run("fal-ai/whisper", { audio_url: "https://example.com/a.mp3" })));
});

test("a result tells its billable units, and one that is not there yet is a 400", async () => {
  const { queue } = client();
  const input = { prompt: "Waves [sandbox:job-never]", duration: 5 };
  const begun = await queue.submit(veo, { input });
  assert.match(begun.status_url, /\/fal\/fal-ai\/veo3\/requests\/[^/]+\/status$/);
  await assert.rejects(
    queue.result(veo, { requestId: begun.request_id }),
    (reason) => reason instanceof ApiError && reason.status === 400,
  );
  await queue.cancel(veo, { requestId: begun.request_id });
  assert.equal((await queue.status("fal-ai/veo3", { requestId: begun.request_id })).status, "COMPLETED");
  const response = await fetch(`${sandbox.url}/fal-run/fal-ai/veo3/fast`, {
    method: "POST",
    headers: { authorization: "Key k" },
    body: JSON.stringify({ prompt: "Waves", duration: "8s" }),
  });
  assert.equal(response.headers.get("x-fal-billable-units"), "8");
  const endless = fetch(`${sandbox.url}/fal-run/fal-ai/veo3`, {
    method: "POST",
    headers: { authorization: "Key k" },
    body: JSON.stringify({ prompt: "[sandbox:job-never]" }),
    signal: AbortSignal.timeout(100),
  });
  await assert.rejects(endless, { name: "TimeoutError" });
});

test("failures come out with the result: of inputs as validation errors, of the work with its type, as in the status", async () => {
  const endOf = async (app: string, input: object): Promise<unknown> =>
    await client()
      .subscribe(app, { input, pollInterval: 20 })
      .catch((error: unknown) => error);
  const missing = await endOf(flux, {});
  assert.ok(missing instanceof ValidationError);
  assert.deepEqual(missing.getFieldErrors("prompt")[0]?.type, "missing");
  const refused = await endOf(flux, { prompt: "x [sandbox:job-refused]" });
  assert.ok(refused instanceof ValidationError && refused.getFieldErrors("prompt").length === 1);
  const failed = await endOf(flux, { prompt: "x [sandbox:job-fail]" });
  assert.ok(failed instanceof ApiError && !(failed instanceof ValidationError));
  assert.deepEqual([failed.status, failed.body.error_type], [500, "runner_server_error"]);
  const { queue } = client();
  const { request_id: requestId } = await queue.submit(flux, {
    input: { prompt: "x [sandbox:job-fail][sandbox:job-ms-0]" },
  });
  const told = await queue.status(flux, { requestId });
  assert.ok("error_type" in told && told.status === "COMPLETED");
  assert.equal(told.error_type, "runner_server_error");
});

test("refusals are the SDK's own errors", async () => {
  const refusedWith = async (input: object, key?: string): Promise<unknown> => {
    const reason: unknown = await client(key)
      .run(flux, { input })
      .catch((error: unknown) => error);
    assert.ok(reason instanceof ApiError);
    return [reason.status, typeof reason.body.detail];
  };
  assert.deepEqual(await refusedWith({ prompt: "x" }, "invalid"), [401, "string"]);
  assert.deepEqual(await refusedWith({ prompt: "x [sandbox:fault-402]" }), [403, "string"]);
  assert.deepEqual(await refusedWith({ prompt: "x [sandbox:fault-500]" }), [500, "string"]);
});
