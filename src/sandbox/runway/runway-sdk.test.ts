import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import RunwayML, { APIError, AuthenticationError, BadRequestError, NotFoundError } from "@runwayml/sdk";
import sharp from "sharp";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK. Its own waiting asks every six seconds; here the clock is turned instead. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

const client = (apiKey = "k", runwayVersion = "2024-11-06"): RunwayML =>
  new RunwayML({ apiKey, runwayVersion, baseURL: `${sandbox.url}/runway`, maxRetries: 0, logLevel: "off" });

const text = (promptText: string) =>
  ({ model: "gen4.5", promptText, ratio: "1280:720", duration: 4 }) as const;

async function refusedWith(asked: Promise<unknown>): Promise<unknown> {
  return await asked.catch((error: unknown) => error);
}

test("a video passes through the states of a task, and its cost is told before and after", async () => {
  const begun = await client().textToVideo.create(text("A fox"));
  assert.equal(begun.estimatedCost.credits, 48);
  const pending = await client().tasks.retrieve(begun.id);
  assert.deepEqual([pending.status, "estimatedCost" in pending], ["PENDING", true]);
  now += 20;
  const running = await client().tasks.retrieve(begun.id);
  assert.ok(running.status === "RUNNING" && running.progress > 0 && running.progress < 1);
  now += 20;
  const done = await client().tasks.retrieve(begun.id);
  assert.ok(done.status === "SUCCEEDED");
  assert.deepEqual([done.output.length, done.cost.credits], [1, 48]);
  const file = await fetch(done.output[0] ?? "");
  assert.deepEqual([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
  now += 86_400_000;
  assert.equal((await fetch(done.output[0] ?? "")).status, 403, "the address dies after a day");
});

test("an image begins a video, silence is cheaper, and pictures have the size asked for", async () => {
  const runway = client();
  const turbo = await runway.imageToVideo.create({
    model: "gen4_turbo",
    promptImage: [{ position: "first", uri: "https://example.com/a.png" }],
    ratio: "960:960",
  });
  assert.equal(turbo.estimatedCost.credits, 25);
  const silent = await runway.textToVideo.create({
    model: "veo3.1",
    promptText: "A fox",
    ratio: "1280:720",
    duration: 4,
    audio: false,
  });
  assert.equal(silent.estimatedCost.credits, 80);
  const picture = await runway.textToImage.create({
    model: "gen4_image",
    promptText: "A fox",
    ratio: "1440:1080",
  });
  now += 40;
  const done = await runway.tasks.retrieve(picture.id);
  assert.ok(done.status === "SUCCEEDED" && done.cost.credits === 8);
  const response = await fetch(done.output[0] ?? "");
  const { width, height } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
  assert.deepEqual([width, height], [1_440, 1_080]);
});

test("a task fails with its reason, is refused, is called off: none of them costs anything", async () => {
  const runway = client();
  const begun = async (order: string) =>
    (await runway.textToVideo.create(text(`A fox [sandbox:${order}]`))).id;
  const [failed, refused, endless] = [
    await begun("job-fail"),
    await begun("job-refused"),
    await begun("job-never"),
  ];
  now += 40;
  const broken = await runway.tasks.retrieve(failed);
  assert.ok(broken.status === "FAILED" && broken.cost.credits === 0 && broken.failureCode !== undefined);
  const flagged = await runway.tasks.retrieve(refused);
  assert.ok(flagged.status === "FAILED" && flagged.failureCode === "SAFETY.INPUT.TEXT");
  await runway.tasks.delete(endless);
  assert.equal((await runway.tasks.retrieve(endless)).status, "CANCELLED");
});

test("refusals are the SDK's own errors", async () => {
  const runway = client();
  assert.ok(
    (await refusedWith(client("invalid").textToVideo.create(text("A fox")))) instanceof AuthenticationError,
  );
  assert.ok(
    (await refusedWith(client("k", "2023-01-01").textToVideo.create(text("A fox")))) instanceof
      BadRequestError,
  );
  assert.ok((await refusedWith(runway.tasks.retrieve("nobody"))) instanceof NotFoundError);
  const long = await refusedWith(runway.textToVideo.create({ ...text("A fox"), duration: 11 }));
  assert.ok(long instanceof BadRequestError && /Validation/.test(long.message), String(long));
  const broke = await refusedWith(runway.textToVideo.create(text("A fox [sandbox:fault-402]")));
  assert.ok(broke instanceof APIError && broke.status === 400 && /enough credits/.test(broke.message));
});
