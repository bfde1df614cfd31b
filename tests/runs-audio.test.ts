/** Speech and transcripts as runs, in test mode: real gateway, real sandbox, every model of the group. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseCredits } from "../src/core/credits.ts";
import { mp3Of } from "../src/sandbox/media/mp3.ts";
import { wavOf } from "../src/sandbox/media/wav.ts";
import { soundLengthMs } from "../src/sandbox/speech/spoken.ts";
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

type Answer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
};

async function run(model: string, inputs: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, inputs }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/** Runs what has to work, and checks what it cost in millionths of a credit, on the answer and on the balance. */
async function charged(model: string, inputs: object, cost: bigint): Promise<Answer["body"]> {
  const before = await available();
  const { status, body, headers } = await run(model, inputs);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.status, "completed");
  assert.equal(parseCredits(headers.get("x-skillboss-cost") ?? ""), cost, model);
  assert.equal(before - (await available()), cost, model);
  return body;
}

async function available(): Promise<bigint> {
  return parseCredits((await gateway.get(customer.key, "/v1/balance")).body.available) ?? -1n;
}

async function refused(model: string, inputs: object): Promise<readonly [number, string]> {
  const before = await available();
  const { status, body } = await run(model, inputs);
  assert.equal(await available(), before, "a refusal costs nothing");
  return [status, body.error?.code];
}

async function soundAt(url: string): Promise<{ readonly type: string | null; readonly bytes: Buffer }> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  return {
    type: response.headers.get("content-type"),
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

/** µcr for so many of a unit of which `per` cost `microUsd`: at $0.05 a credit, 1 µUSD is 20 µcr. Rounded up once. */
function price(quantity: number, per: number, microUsd: number): bigint {
  const millionths = BigInt(Math.round(quantity * 1_000_000)) * BigInt(microUsd) * 20n;
  const divisor = BigInt(per) * 1_000_000n;
  return (millionths + divisor - 1n) / divisor;
}

const speakers: readonly (readonly [model: string, input: "input" | "text", usdPer1000: number])[] = [
  ["openai/tts-1", "input", 15_000],
  ["openai/tts-1-hd", "input", 30_000],
  ["deepgram/aura-2", "text", 30_000],
  ["deepgram/aura", "text", 15_000],
  ["minimax/speech-2.8-hd", "text", 100_000],
  ["minimax/speech-2.8-turbo", "text", 60_000],
  ["minimax/speech-2.6-hd", "text", 100_000],
  ["minimax/speech-2.6-turbo", "text", 60_000],
  ["minimax/speech-02-hd", "text", 100_000],
  ["minimax/speech-02-turbo", "text", 60_000],
];

const sentence = "The quick brown fox jumps over the lazy dog.";

for (const [model, input, microUsd] of speakers) {
  test(`${model} speaks a text, and costs its characters exactly`, async () => {
    const body = await charged(model, { [input]: sentence }, price(sentence.length, 1_000, microUsd));
    assert.deepEqual(body.usage, { chars: sentence.length });
    assert.equal(body.audio_url, body.audio.url);
    const { type, bytes } = await soundAt(body.audio_url);
    assert.equal(type, "audio/mpeg");
    assert.ok(Math.abs(soundLengthMs(bytes) - sentence.length * 65) < 100, String(soundLengthMs(bytes)));
  });
}

test("gpt-4o-mini-tts costs what was spoken, however long or short its characters are", async () => {
  const before = await available();
  for (const [input, bytes, format] of [
    ["The quick brown fox.", 20, "mp3"],
    ["你好,世界。", 16, "wav"],
    ["สวัสดี 👋", 23, "opus"],
    ["Hi", 2, "aac"],
    ["Hi", 2, "flac"],
    ["Hi", 2, "pcm"],
  ] as const) {
    const { body } = await run("gpt-4o-mini-tts", { input, instructions: "Slowly", response_format: format });
    const { usage } = body;
    assert.equal(usage.input_tokens, bytes + "Slowly".length, input);
    const { bytes: sound } = await soundAt(body.audio_url);
    // The emulator speaks "Hi" in 300 ms, whatever the form.
    const ms = bytes === 2 ? 300 : soundLengthMs(sound);
    assert.ok(Math.abs(usage.audio_seconds * 1_000 - ms) < 100, `${format}: ${usage.audio_seconds} ${ms}`);
  }
  assert.ok(before > (await available()));
});

test("gpt-4o-mini-tts holds for the longest sound, and what is sped up costs what it would be without", async () => {
  const { usage: fast } = (await run("gpt-4o-mini-tts", { input: sentence, speed: 4 })).body;
  const { usage: usual } = (await run("gpt-4o-mini-tts", { input: sentence })).body;
  assert.ok(Math.abs(fast.audio_seconds - usual.audio_seconds) < 0.2);
  const { usage: slow } = (await run("gpt-4o-mini-tts", { input: sentence, speed: 0.25 })).body;
  assert.ok(slow.audio_seconds > 3.9 * usual.audio_seconds);
});

test("other names of text and voice are understood, and characters are counted as people do", async () => {
  const text = "Grüße 👋";
  for (const [model, , microUsd] of speakers.slice(0, 4))
    await charged(model, { text, input: text, voice: "alloy" }, price(7, 1_000, microUsd));
});

test("OpenAI's voices and forms: each sound is what was asked for, and faster is shorter", async () => {
  const types = {
    mp3: "audio/mpeg",
    opus: "audio/ogg",
    aac: "audio/aac",
    flac: "audio/flac",
    wav: "audio/wav",
  };
  for (const [response_format, expected] of Object.entries(types)) {
    const { body } = await run("tts-1", { input: sentence, voice: "nova", response_format });
    assert.equal((await soundAt(body.audio_url)).type, expected, response_format);
  }
  const { body } = await run("gpt-4o-mini-tts", {
    input: sentence,
    instructions: "Speak slowly.",
    response_format: "wav",
    speed: 2,
  });
  const { bytes } = await soundAt(body.audio_url);
  assert.ok(Math.abs(soundLengthMs(bytes) - (sentence.length * 65) / 2) < 30);
});

test("Deepgram and MiniMax give the same forms, and OpenAI's voices stand for voices of theirs", async () => {
  for (const model of ["deepgram/aura-2", "minimax/speech-02-turbo"]) {
    for (const [response_format, type] of [
      ["wav", "audio/wav"],
      ["flac", "audio/flac"],
    ]) {
      const { status, body } = await run(model, { text: sentence, voice: "onyx", response_format });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal((await soundAt(body.audio_url)).type, type);
    }
  }
  const voiced = await run("minimax/speech-2.8-hd", {
    text: sentence,
    voice_setting: { voice_id: "English_Graceful_Lady", speed: 2, pitch: 1, emotion: "happy" },
  });
  assert.equal(voiced.status, 200, JSON.stringify(voiced.body));
  assert.equal(voiced.body.audio.duration_seconds, (sentence.length * 65) / 2 / 1_000);
});

test("MiniMax: Chinese characters count twice, and a usage that is not told is estimated", async () => {
  const chinese = await charged("minimax/speech-2.8-turbo", { text: "你好 ok" }, price(7, 1_000, 60_000));
  assert.deepEqual(chinese.usage, { chars: 7 });
  const text = "Hello [sandbox:fault-nousage]";
  const silent = await charged("minimax/speech-2.8-turbo", { text }, price(58, 1_000, 60_000));
  assert.deepEqual([silent.usage, silent.usage_estimated], [{ chars: 58 }, true]);
});

test("MiniMax: what it refuses comes with status 200 and is told in our words", async () => {
  const speak = (text: string, voice_id?: string) =>
    refused("minimax/speech-2.8-hd", { text, ...(voice_id === undefined ? {} : { voice_id }) });
  assert.deepEqual(await speak("Hello", "missing-voice"), [400, "upstream_rejected_request"]);
  assert.deepEqual(await speak("[sandbox:job-refused]"), [400, "content_refused"]);
  assert.deepEqual(await speak("[sandbox:fault-429]"), [503, "upstream_unavailable"]);
  assert.deepEqual(await speak("[sandbox:fault-402]"), [503, "upstream_unavailable"]);
  assert.deepEqual(await speak("[sandbox:fault-500]"), [502, "upstream_error"]);
  assert.deepEqual(await speak("[sandbox:fault-malformed]"), [502, "upstream_invalid_response"]);
});

test("speech that is refused, fails or is not made costs nothing", async () => {
  for (const [model, input] of [
    ["openai/tts-1", "input"],
    ["deepgram/aura-2", "text"],
  ] as const) {
    const speak = (text: string, more: object = {}) => refused(model, { [input]: text, ...more });
    assert.deepEqual(await speak("", {}), [400, "invalid_request"], "an empty text");
    assert.deepEqual(await speak("Hi", { response_format: "midi" }), [400, "invalid_request"]);
    assert.deepEqual(await speak("[sandbox:fault-429]"), [503, "upstream_unavailable"]);
    assert.deepEqual(await speak("[sandbox:fault-401]"), [503, "upstream_unavailable"]);
    assert.deepEqual(await speak("[sandbox:fault-cut]"), [502, "outcome_unknown"]);
    const nothing = await charged(model, { [input]: "Hi [sandbox:fault-empty]" }, 0n);
    assert.equal(nothing.is_empty, true);
  }
  assert.deepEqual(await refused("openai/tts-1", { input: "Hi", voice: "nobody" }), [400, "invalid_request"]);
  assert.deepEqual(await refused("deepgram/aura-2", { text: "x".repeat(2_001) }), [400, "invalid_request"]);
});

const recording = wavOf({ ms: 8_470, rate: 8_000, seed: "a1b2c3d4e5f60718" }).toString("base64");

test("whisper-1 writes down a recording with its times, and costs the seconds that it tells", async () => {
  const inputs = { audio_data: recording, filename: "talk.wav", language: "en" };
  const body = await charged("whisper-1", inputs, price(9, 60, 6_000));
  assert.deepEqual(body.usage, { audio_seconds: 9 });
  assert.deepEqual([body.language, body.duration_seconds], ["english", 8.47]);
  assert.equal(body.segments.map((one: { text: string }) => one.text.trim()).join(" "), body.text);
  assert.equal(body.words, undefined);
  const worded = await run("whisper", { ...inputs, timestamp_granularities: ["word"] });
  assert.equal(worded.body.words.map((one: { word: string }) => one.word).join(" "), worded.body.text);
});

test("whisper-1 translates into English, with the address of translations", async () => {
  const inputs = { audio_data: recording, filename: "talk.wav", task: "translations", language: "de" };
  const body = await charged("openai/whisper-1", inputs, price(9, 60, 6_000));
  assert.ok(body.text.length > 10);
});

test("the GPT transcribers cost the seconds that their sound tokens tell", async () => {
  const inputs = { audio_data: `data:audio/wav;base64,${recording}`, filename: "talk.wav" };
  const body = await charged("gpt-4o-transcribe", inputs, price(8.5, 60, 6_000));
  assert.deepEqual([body.usage, body.duration_seconds], [{ audio_seconds: 8.5 }, 8.5]);
  await charged("openai/gpt-4o-mini-transcribe", inputs, price(8.5, 60, 3_000));
});

test("the hold of a transcript is bounded by the size of the recording, and what is not told costs that", async () => {
  const mp3 = mp3Of(20_000).toString("base64");
  const inputs = { audio_data: mp3, filename: "talk.mp3", prompt: "[sandbox:fault-nousage]" };
  const bound = Math.ceil(mp3.length / 1_000);
  const body = await charged("whisper-1", inputs, price(bound, 60, 6_000));
  assert.deepEqual([body.usage, body.usage_estimated], [{ audio_seconds: bound }, true]);
  const poor = await gateway.customer({ mode: "test", credits: "0.50" });
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${poor.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "whisper-1", inputs: { audio_data: mp3, filename: "talk.mp3" } }),
  });
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  assert.deepEqual([response.status, error["code"]], [402, "insufficient_balance"]);
  assert.equal(error["required_credits"], Number(price(bound, 60, 6_000)) / 1_000_000);
});

test("a recording that is none, or of a kind that is not known, is refused and costs nothing", async () => {
  assert.deepEqual(await refused("whisper-1", {}), [400, "invalid_request"]);
  const odd = { audio_data: recording, filename: "talk.txt" };
  assert.deepEqual(await refused("whisper-1", odd), [400, "upstream_rejected_request"]);
  const busy = { audio_data: recording, filename: "a.wav", prompt: "[sandbox:fault-429]" };
  assert.deepEqual(await refused("gpt-4o-transcribe", busy), [503, "upstream_unavailable"]);
});

for (const model of ["deepgram/nova-3", "deepgram/nova-2"]) {
  test(`${model} writes down what lies at an address, and costs the time that it tells`, async () => {
    const inputs = { audio_url: "https://example.com/talk.mp3", language: "en", utterances: true };
    const body = await charged(model, inputs, price(60, 60, 4_300));
    assert.deepEqual([body.usage, body.duration_seconds], [{ audio_seconds: 60 }, 60]);
    assert.equal(body.language, "en");
    assert.equal(body.words.map((one: { word: string }) => one.word).join(" "), body.text);
    assert.equal(body.segments.map((one: { text: string }) => one.text).join(" "), body.text);
  });
}

test("Deepgram: a recording within the request is sent as it is, and holds what its size allows", async () => {
  for (const audio_data of [recording, `data:audio/wav;base64,${recording}`]) {
    const inputs = { audio_data, filename: "talk.wav" };
    const body = await charged("nova-3", inputs, price(8.47, 60, 4_300));
    assert.deepEqual([body.usage, body.duration_seconds], [{ audio_seconds: 8.47 }, 8.47]);
  }
  assert.deepEqual(await refused("deepgram/nova-3", {}), [400, "invalid_request"]);
  const faulty = Buffer.from("[sandbox:fault-429]".repeat(10)).toString("base64");
  assert.deepEqual(await refused("deepgram/nova-2", { audio_data: faulty }), [503, "upstream_unavailable"]);
});

test("Deepgram: an address of another kind and an option with another price are refused", async () => {
  const ask = (inputs: object) => refused("deepgram/nova-3", inputs);
  assert.deepEqual(await ask({ audio_url: "ftp://example.com/a.mp3" }), [400, "upstream_rejected_request"]);
  assert.deepEqual(await ask({ audio_url: "https://example.com/a.mp3", language: "multi" }), [
    400,
    "invalid_request",
  ]);
});
