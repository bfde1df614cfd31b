import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import OpenAI6 from "openai-6";
import sharp from "sharp";
import { mp3Of } from "../../media/mp3.ts";
import { startSandbox } from "../../sandbox.ts";
import type { RunningSandbox } from "../../sandbox.ts";
import { soundLengthMs } from "../../speech/spoken.ts";

/** The judge is the provider's own SDK, in both majors where they differ. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const options = (apiKey: string, provider = "openai") =>
  ({ baseURL: `${sandbox.url}/${provider}/v1`, apiKey, maxRetries: 0, logLevel: "off" }) as const;
const client = (apiKey = "k"): OpenAI => new OpenAI(options(apiKey));

async function pictureIn(base64: string | undefined) {
  const { width, height, format } = await sharp(Buffer.from(base64 ?? "", "base64")).metadata();
  return [width, height, format];
}

test("pictures come as data, as many as asked for, with their tokens", async () => {
  const made = await client().images.generate({
    model: "gpt-image-2",
    prompt: "A fox",
    n: 2,
    quality: "low",
  });
  assert.equal(made.data?.length, 2);
  assert.deepEqual(await pictureIn(made.data?.[0]?.b64_json), [1_024, 1_024, "png"]);
  assert.equal(made.usage?.output_tokens, 544);
  assert.equal(made.usage?.input_tokens, 2);
});

test("pictures have the size and form asked for, the same ones each time; the models of old give addresses", async () => {
  const webp = { model: "gpt-image-2", prompt: "A fox", size: "1536x1024", output_format: "webp" } as const;
  const wide = await client().images.generate(webp);
  assert.deepEqual(await pictureIn(wide.data?.[0]?.b64_json), [1_536, 1_024, "webp"]);
  assert.deepEqual([wide.size, wide.quality, wide.output_format], ["1536x1024", "high", "webp"]);
  const again = await client().images.generate(webp);
  assert.equal(again.data?.[0]?.b64_json, wide.data?.[0]?.b64_json);
  const old = await client().images.generate({ model: "dall-e-3", prompt: "A fox" });
  assert.equal((await fetch(old.data?.[0]?.url ?? "")).status, 200);
});

test("a picture is streamed with the ones before it", async () => {
  const seen: string[] = [];
  const stream = await client().images.generate({
    model: "gpt-image-2",
    prompt: "A fox",
    stream: true,
    partial_images: 2,
  });
  for await (const event of stream) {
    seen.push(event.type);
    assert.deepEqual(await pictureIn(event.b64_json), [1_024, 1_024, "png"]);
    if (event.type === "image_generation.completed") assert.equal(event.usage.output_tokens, 4_160);
  }
  const partial = "image_generation.partial_image";
  assert.deepEqual(seen, [partial, partial, "image_generation.completed"]);
});

test("pictures are edited", async () => {
  const image = await toFile(Buffer.from("picture"), "a.png", { type: "image/png" });
  const edited = await client().images.edit({
    model: "gpt-image-2",
    image: [image, image],
    prompt: "In snow",
  });
  assert.deepEqual(await pictureIn(edited.data?.[0]?.b64_json), [1_024, 1_024, "png"]);
  assert.equal(edited.usage?.input_tokens_details.image_tokens, 2 * 264);
});

test("a text is spoken in each form", async () => {
  for (const format of ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const) {
    const speech = await client().audio.speech.create({
      model: "gpt-4o-mini-tts",
      voice: "alloy",
      input: "Hello there, how are you?",
      response_format: format,
    });
    const sound = Buffer.from(await speech.arrayBuffer());
    if (format === "pcm") assert.equal(sound.length, 1.625 * 24_000 * 2);
    else if (format !== "aac") assert.ok(Math.abs(soundLengthMs(sound) - 1_625) < 100, format);
  }
  const response = await fetch(`${sandbox.url}/openai/v1/audio/speech`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify({ model: "gpt-4o-mini-tts", voice: "alloy", input: "Hi", stream_format: "sse" }),
  });
  assert.match(await response.text(), /event: speech\.audio\.done\ndata: .*"total_tokens":\d+/);
});

test("a sound becomes text, charged by its length or by tokens", async () => {
  const file = () => toFile(mp3Of(9_500), "talk.mp3", { type: "audio/mpeg" });
  const verbose = await client().audio.transcriptions.create({
    model: "whisper-1",
    file: await file(),
    response_format: "verbose_json",
    timestamp_granularities: ["word", "segment"],
  });
  assert.ok(Math.abs(Number(verbose.duration) - 9.5) < 0.1);
  assert.equal(verbose.words?.map(({ word }) => word).join(" "), verbose.text);
  assert.ok((verbose.segments?.length ?? 0) > 1);
  assert.equal(verbose.usage?.seconds, 10);
  const plain = await client().audio.transcriptions.create({
    model: "gpt-4o-transcribe",
    file: await file(),
  });
  assert.ok(plain.usage?.type === "tokens" && plain.usage.input_token_details?.audio_tokens === 95);
  const srt = await client().audio.transcriptions.create({
    model: "whisper-1",
    file: await file(),
    response_format: "srt",
  });
  assert.match(String(srt), /^1\n00:00:00,000 --> 00:00:0\d,\d{3}\n/);
  const translated = await client().audio.translations.create({ model: "whisper-1", file: await file() });
  assert.notEqual(translated.text, "");
});

test("a transcription is streamed", async () => {
  const stream = await client().audio.transcriptions.create({
    model: "gpt-4o-mini-transcribe",
    file: await toFile(mp3Of(4_000), "talk.mp3"),
    stream: true,
  });
  let text = "";
  let whole = "";
  for await (const event of stream) {
    if (event.type === "transcript.text.delta") text += event.delta;
    if (event.type === "transcript.text.done") whole = event.text;
  }
  assert.ok(whole !== "" && text === whole);
});

test("embeddings are vectors of length 1, the same in both encodings, close for close texts", async () => {
  const input = ["wind power in the north", "wind power in the south", "a recipe for bread"];
  const embedded = await client().embeddings.create({ model: "text-embedding-3-small", input });
  const vectors = embedded.data.map(({ embedding }) => embedding);
  const product = (one: readonly number[] = [], other: readonly number[] = []): number =>
    one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
  assert.equal(vectors[0]?.length, 1_536);
  assert.ok(Math.abs(product(vectors[0], vectors[0]) - 1) < 1e-5);
  assert.ok(product(vectors[0], vectors[1]) > product(vectors[0], vectors[2]) + 0.3);
  assert.deepEqual(embedded.usage, { prompt_tokens: 14, total_tokens: 14 });
  const plain = await client().embeddings.create({
    model: "text-embedding-3-small",
    input,
    encoding_format: "float",
  });
  assert.deepEqual(plain.data[0]?.embedding, vectors[0]);
  const older = await new OpenAI6(options("k", "together")).embeddings.create({
    model: "text-embedding-3-large",
    input: "wind",
    dimensions: 256,
  });
  assert.equal(older.data[0]?.embedding.length, 256);
});

test("chats under the same id are served as before", async () => {
  const messages = [{ role: "user" as const, content: "Hello" }];
  assert.notEqual((await client().chat.completions.create({ model: "gpt-5", messages })).choices.length, 0);
  assert.ok((await client().models.list()).data.some(({ id }) => id === "gpt-6"));
  const response = await fetch(`${sandbox.url}/openai/v1/nothing`, { headers: { "x-api-key": "k" } });
  assert.equal(JSON.parse(await response.text()).error.code, "unknown_url");
});

test("refusals are the SDK's own errors", async () => {
  const draw = (prompt: string, apiKey?: string) =>
    client(apiKey).images.generate({ model: "gpt-image-2", prompt });
  await assert.rejects(draw("x", "invalid"), OpenAI.AuthenticationError);
  await assert.rejects(draw("x [sandbox:fault-429]"), OpenAI.RateLimitError);
  await assert.rejects(draw("x [sandbox:fault-500]"), OpenAI.InternalServerError);
  await assert.rejects(
    draw("x [sandbox:job-refused]"),
    (reason) => reason instanceof OpenAI.BadRequestError && reason.code === "moderation_blocked",
  );
  await assert.rejects(
    draw(""),
    (reason) => reason instanceof OpenAI.BadRequestError && reason.param === "prompt",
  );
  const odd = client().audio.transcriptions.create({
    model: "whisper-1",
    file: await toFile(Buffer.from("x"), "talk.txt"),
  });
  await assert.rejects(odd, OpenAI.BadRequestError);
  await assert.rejects(
    client().embeddings.create({ model: "missing-model", input: "x" }),
    OpenAI.NotFoundError,
  );
});
