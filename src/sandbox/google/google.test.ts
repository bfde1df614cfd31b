import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import sharp from "sharp";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";
import { soundLengthMs } from "../speech/spoken.ts";

/** The provider's SDK is not among our dependencies: what is checked is what its requests and answers are documented to be. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

const key = { "x-goog-api-key": "k" };
const veo = "v1beta/models/veo-3.1-generate-preview:predictLongRunning";

async function ask(path: string, body?: object, headers: Record<string, string> = key) {
  const response = await fetch(`${sandbox.url}/google/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

function video(prompt: string, parameters: object = {}) {
  return ask(veo, { instances: [{ prompt }], parameters });
}

test("a video is an operation, and its file has the asked length and shape and needs the key", async () => {
  const begun = await video("A kite", { durationSeconds: 4, aspectRatio: "9:16", sampleCount: 2 });
  const name: string = begun.body.name;
  assert.match(name, /^models\/veo-3\.1-generate-preview\/operations\/\S+$/);
  assert.deepEqual((await ask(`v1beta/${name}`)).body, { name });
  now += 40;
  const { body } = await ask(`v1beta/${name}`);
  assert.equal(body.done, true);
  const samples: { video: { uri: string } }[] = body.response.generateVideoResponse.generatedSamples;
  assert.equal(samples.length, 2);
  const uri = samples[0]?.video.uri ?? "";
  assert.match(uri, /\/v1beta\/files\/[a-z0-9]+:download\?alt=media$/);
  assert.equal((await fetch(uri)).status, 403);
  const file = await fetch(`${uri}&key=k`);
  assert.equal(file.headers.get("content-type"), "video/mp4");
  const bytes = Buffer.from(await file.arrayBuffer());
  assert.equal(soundLengthMs(bytes), 4_000);
  const track = bytes.indexOf("tkhd") + 80;
  assert.deepEqual([bytes.readUInt16BE(track), bytes.readUInt16BE(track + 4)], [720, 1_280]);
});

test("a video can fail, and can be filtered", async () => {
  const endOf = async (order: string) => {
    const { body } = await video(`A kite [sandbox:${order}][sandbox:job-ms-0]`);
    return (await ask(`v1beta/${body.name}`)).body;
  };
  assert.equal((await endOf("job-fail")).error.code, 13);
  const filtered = (await endOf("job-refused")).response.generateVideoResponse;
  assert.equal(filtered.raiMediaFilteredReasons.length, 1);
  assert.equal(filtered.generatedSamples, undefined);
});

test("pictures, speech and songs come as data in the answer, with their tokens", async () => {
  const make = async (model: string, generationConfig: object = {}) => {
    const contents = [{ role: "user", parts: [{ text: "A red kite over a hill" }] }];
    const { body } = await ask(`v1beta/models/${model}:generateContent`, { contents, generationConfig });
    const { inlineData } = body.candidates[0].content.parts[0];
    return { ...inlineData, bytes: Buffer.from(inlineData.data, "base64"), usage: body.usageMetadata };
  };
  const picture = await make("gemini-3.1-flash-image", { imageConfig: { aspectRatio: "16:9" } });
  const { width, height, format } = await sharp(picture.bytes).metadata();
  assert.deepEqual([width, height, format], [1_360, 768, "png"]);
  assert.equal(picture.usage.candidatesTokensDetails[0].modality, "IMAGE");
  const speech = await make("gemini-2.5-flash-preview-tts");
  assert.equal(speech.mimeType, "audio/L16;codec=pcm;rate=24000");
  assert.ok(speech.bytes.length > 48_000);
  assert.equal((await make("lyria-3-clip-preview")).mimeType, "audio/mpeg");
});

test("chats under the same ids are served as before", async () => {
  for (const id of ["google", "gemini"]) {
    const openai = new OpenAI({ baseURL: `${sandbox.url}/${id}/v1`, apiKey: "k", maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "Hello" }];
    const chat = await openai.chat.completions.create({ model: "gemini-3.5-flash", messages });
    assert.notEqual(chat.choices[0]?.message.content, "");
    assert.equal((await openai.models.retrieve("gemini-3.5-flash")).id, "gemini-3.5-flash");
  }
});

test("refusals have the provider's form", async () => {
  const refusal = async (asked: ReturnType<typeof ask>) => {
    const { status, body } = await asked;
    assert.equal(body.error.code, status);
    return [status, body.error.status];
  };
  const kite = { instances: [{ prompt: "A kite" }] };
  assert.deepEqual(await refusal(ask(veo, kite, {})), [403, "PERMISSION_DENIED"]);
  assert.deepEqual(await refusal(ask(veo, kite, { "x-goog-api-key": "invalid" })), [400, "INVALID_ARGUMENT"]);
  assert.deepEqual(await refusal(video("A kite", { durationSeconds: 5 })), [400, "INVALID_ARGUMENT"]);
  assert.deepEqual(await refusal(ask(veo, { instances: [] })), [400, "INVALID_ARGUMENT"]);
  assert.deepEqual(await refusal(ask("v1beta/models/veo-3/operations/none")), [404, "NOT_FOUND"]);
  const limited = await video("A kite [sandbox:fault-429]");
  assert.equal(limited.body.error.status, "RESOURCE_EXHAUSTED");
  assert.equal(limited.body.error.details[1].retryDelay, "34s");
});
