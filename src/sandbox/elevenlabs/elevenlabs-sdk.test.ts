import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { buffer } from "node:stream/consumers";
import { ElevenLabsClient, ElevenLabsError } from "@elevenlabs/elevenlabs-js";
import { mp3Of } from "../media/mp3.ts";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";
import { soundLengthMs } from "../speech/spoken.ts";

/** The judge is the provider's own SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const client = (apiKey = "k"): ElevenLabsClient =>
  new ElevenLabsClient({ apiKey, baseUrl: `${sandbox.url}/elevenlabs`, maxRetries: 0 });

const voice = "JBFqnCBsd6RMkjVDRZzb";

test("a text is spoken as MP3, and the headers tell the characters and the request", async () => {
  const { data, rawResponse } = await client()
    .textToSpeech.convert(voice, { text: "Hello there, how are you?", modelId: "eleven_multilingual_v2" })
    .withRawResponse();
  const sound = await buffer(data);
  assert.equal(rawResponse.headers.get("character-cost"), "25");
  assert.equal(rawResponse.headers.get("content-type"), "audio/mpeg");
  assert.match(rawResponse.headers.get("request-id") ?? "", /^[0-9a-f]{20}$/);
  assert.ok(Math.abs(soundLengthMs(sound) - 25 * 65) < 30);
});

test("the faster models cost half, and other forms are spoken too", async () => {
  const { data, rawResponse } = await client()
    .textToSpeech.convert(voice, { text: "Hello", modelId: "eleven_flash_v2_5", outputFormat: "pcm_16000" })
    .withRawResponse();
  assert.equal(rawResponse.headers.get("character-cost"), "3");
  assert.equal((await buffer(data)).length, (5 * 65 * 16_000 * 2) / 1_000);
  const phone = await client().textToSpeech.convert(voice, { text: "Hello", outputFormat: "ulaw_8000" });
  assert.equal((await buffer(phone)).length, 5 * 65 * 8);
});

test("speech is streamed in parts", async () => {
  const { data, rawResponse } = await client()
    .textToSpeech.stream(voice, { text: "A longer text for the stream. ".repeat(10) })
    .withRawResponse();
  assert.equal(rawResponse.headers.get("content-length"), null);
  assert.ok((await buffer(data)).length > 300_000);
});

test("a sound becomes text, with words in time and the length it is charged by", async () => {
  const file = new File([new Uint8Array(mp3Of(8_000))], "talk.mp3", { type: "audio/mpeg" });
  const heard = await client().speechToText.convert({ modelId: "scribe_v2", file, diarize: true });
  assert.ok("words" in heard);
  assert.ok(Math.abs((heard.audioDurationSecs ?? 0) - 8) < 0.1);
  const words = heard.words.filter(({ type }) => type === "word");
  assert.equal(words.map(({ text }) => text).join(" "), heard.text);
  assert.ok(words.every(({ start = -1, end = -2, speakerId }) => end > start && speakerId === "speaker_0"));
});

test("sounds and music have the length asked for", async () => {
  const sound = await buffer(
    await client().textToSoundEffects.convert({ text: "Rain on a roof", durationSeconds: 4 }),
  );
  assert.ok(Math.abs(soundLengthMs(sound) - 4_000) < 30);
  const song = await buffer(await client().music.compose({ prompt: "A calm song", musicLengthMs: 12_000 }));
  assert.ok(Math.abs(soundLengthMs(song) - 12_000) < 30);
});

test("voices and models are listed", async () => {
  const { voices } = await client().voices.getAll();
  assert.equal(voices.length, 5);
  const found = await client().voices.search({ search: "chiara" });
  assert.deepEqual(
    found.voices.map(({ name }) => name),
    ["Chiara"],
  );
  assert.ok((await client().models.list()).some(({ modelId }) => modelId === "eleven_multilingual_v2"));
});

test("refusals are the SDK's own errors, in the provider's form", async () => {
  const refusedWith = async (asked: PromiseLike<unknown>) => {
    const reason = await Promise.resolve(asked).catch((error: unknown) => error);
    assert.ok(reason instanceof ElevenLabsError);
    const detail = JSON.parse(JSON.stringify(reason.body)).detail;
    return [reason.statusCode, Array.isArray(detail) ? detail[0].loc.join(".") : detail.status];
  };
  const speak = (text: string, apiKey?: string, modelId?: string) =>
    client(apiKey).textToSpeech.convert(voice, { text, ...(modelId === undefined ? {} : { modelId }) });
  assert.deepEqual(await refusedWith(speak("x", "invalid")), [401, "invalid_api_key"]);
  assert.deepEqual(await refusedWith(speak("[sandbox:fault-429]")), [429, "too_many_concurrent_requests"]);
  assert.deepEqual(await refusedWith(speak("x".repeat(10_001))), [400, "max_character_limit_exceeded"]);
  assert.deepEqual(await refusedWith(speak("x", "k", "eleven_none")), [400, "model_not_found"]);
  assert.deepEqual(await refusedWith(client().textToSpeech.convert("missing", { text: "x" })), [
    404,
    "voice_not_found",
  ]);
  const short = client().textToSoundEffects.convert({ text: "x", durationSeconds: 0.1 });
  assert.deepEqual(await refusedWith(short), [422, "body.duration_seconds"]);
});
