import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../core/problems.ts";
import { contextOf, endpoint, RunUnderTest, wireOf } from "./run-under-test.ts";

const elevenlabs = endpoint({
  request: {
    path: "/v1/text-to-speech/{inputs.voice_id}",
    query: { output_format: { $default: ["$.inputs.output_format", "mp3_44100_128"] } },
    body: {
      text: "$.inputs.text",
      model_id: "eleven_multilingual_v2",
      voice_settings: "$.inputs.voice_settings",
    },
  },
  errors: {
    message: { $default: ["$.res.detail.message", "$.res.detail"] },
    code: "$.res.detail.status",
    codes: {
      quota_exceeded: "credential",
      voice_not_found: "rejected",
      max_character_limit_exceeded: "rejected",
    },
  },
  output: { audio: { url: { $file: { base64: "$.res.base64", mime: "$.res.mime" } } } },
  meters: [
    {
      meter: "chars",
      reserve: { $len: "$.inputs.text" },
      quantity: { $num: "$.headers.character-cost" },
    },
  ],
});

const sound = Buffer.from([0xff, 0xfb, 0x90, 0x00, 0x22, 0x7b]);
const mpeg = { "content-type": "audio/mpeg" };

test("ElevenLabs: the answer is sound, and the charged characters are told in a header", () => {
  const context = contextOf({
    voice_id: "21m00Tcm4TlvDq8ikWAM",
    text: "Grüße 👋",
    voice_settings: { speed: 1.1 },
  });
  const run = new RunUnderTest(elevenlabs, context);
  assert.equal(run.where, "POST /v1/text-to-speech/21m00Tcm4TlvDq8ikWAM?output_format=mp3_44100_128");
  assert.deepEqual(run.json, {
    text: "Grüße 👋",
    model_id: "eleven_multilingual_v2",
    voice_settings: { speed: 1.1 },
  });
  assert.deepEqual(run.wire.reserve(run.context), { chars: 7 });
  const end = run.end(sound, 200, { ...mpeg, "character-cost": "6", "request-id": "r" });
  assert.deepEqual(end.output, {
    audio: { url: { $file: { base64: sound.toString("base64"), mime: "audio/mpeg" } } },
  });
  assert.deepEqual([end.usage, end.estimated], [{ chars: 6 }, false]);
  const silent = run.end(sound, 200, mpeg);
  assert.deepEqual([silent.usage, silent.estimated], [{ chars: 7 }, true]);
});

test("ElevenLabs: a 401 is the account's fault or the customer's, as its own code says", () => {
  const faults = [
    [401, { detail: { status: "quota_exceeded", message: "0 credits left" } }],
    [401, { detail: { status: "invalid_api_key", message: "no" } }],
    [400, { detail: { status: "voice_not_found", message: "no voice" } }],
    [401, { detail: { status: "max_character_limit_exceeded", message: "long" } }],
    [422, { detail: [{ loc: ["body"], msg: "field required" }] }],
    [429, { detail: { status: "system_busy", message: "busy" } }],
  ] as const;
  const kinds = faults.map(([status, body]) => {
    const run = new RunUnderTest(elevenlabs, contextOf({ voice_id: "v", text: "x" }));
    return run.fault(body, status).kind;
  });
  assert.deepEqual(kinds, ["credential", "credential", "rejected", "rejected", "rejected", "busy"]);
});

test("ElevenLabs: a voice that would lead to another address is refused, naming the input", () => {
  const wire = wireOf(elevenlabs);
  for (const voice_id of [
    "",
    ".",
    "..",
    "../../v1/user",
    "a/..",
    "..\\x",
    "a//b",
    null,
    {},
    "\ud800",
    "x".repeat(5_000),
  ]) {
    assert.throws(
      () => wire.begin(contextOf({ voice_id, text: "x" })),
      (error) => error instanceof Problem && error.status === 400 && error.param === "inputs.voice_id",
      JSON.stringify(voice_id),
    );
  }
  const strange = new RunUnderTest(elevenlabs, contextOf({ voice_id: "a/b?c#d e%2f", text: "x" }));
  assert.equal(strange.where, "POST /v1/text-to-speech/a%2Fb%3Fc%23d%20e%252f?output_format=mp3_44100_128");
});

const minimax = endpoint({
  request: {
    path: "/v1/t2a_v2",
    body: {
      model: "speech-2.8-hd",
      text: "$.inputs.text",
      stream: false,
      voice_setting: { voice_id: { $default: ["$.inputs.voice_id", "English_expressive_narrator"] } },
      audio_setting: { format: "mp3", sample_rate: 32000 },
    },
  },
  errors: {
    when: { $if: [{ $eq: ["$.res.base_resp.status_code", 0] }, false, true] },
    message: "$.res.base_resp.status_msg",
    code: "$.res.base_resp.status_code",
    codes: { "1002": "busy", "1004": "credential", "1008": "credential", "2013": "rejected" },
  },
  output: { audio: { url: { $file: { base64: { $hex: "$.res.data.audio" }, mime: "audio/mpeg" } } } },
  meters: [
    { meter: "chars", reserve: { $len: "$.inputs.text" }, quantity: "$.res.extra_info.usage_characters" },
  ],
});

test("MiniMax: hexadecimal sound, and errors that come with status 200", () => {
  const run = new RunUnderTest(minimax, contextOf({ text: "hello" }));
  assert.deepEqual(run.json, {
    model: "speech-2.8-hd",
    text: "hello",
    stream: false,
    voice_setting: { voice_id: "English_expressive_narrator" },
    audio_setting: { format: "mp3", sample_rate: 32000 },
  });
  const end = run.end({
    data: { audio: "fffb90", status: 2 },
    extra_info: { audio_length: 900, usage_characters: 5 },
    base_resp: { status_code: 0, status_msg: "success" },
  });
  assert.deepEqual(end.output, { audio: { url: { $file: { base64: "//uQ", mime: "audio/mpeg" } } } });
  assert.deepEqual(end.usage, { chars: 5 });
  const kinds = [1002, 1004, 1008, 2013, 1000].map(
    (code) => run.fault({ base_resp: { status_code: code, status_msg: "no" } }).kind,
  );
  assert.deepEqual(kinds, ["busy", "credential", "credential", "rejected", "failed"]);
});

const whisper = endpoint({
  request: {
    path: "/audio/transcriptions",
    encoding: "multipart",
    body: {
      model: "whisper-1",
      response_format: "verbose_json",
      language: "$.inputs.language",
      "timestamp_granularities[]": "$.inputs.granularities",
      file: { $upload: { base64: "$.inputs.file", filename: "$.inputs.filename" } },
    },
  },
  output: { text: "$.res.text", language: "$.res.language", segments: "$.res.segments" },
  meters: [
    {
      meter: "audio_seconds",
      reserve: { $default: ["$.inputs.seconds", 3600] },
      quantity: { $default: ["$.res.usage.seconds", "$.res.duration"] },
    },
  ],
});

test("Whisper: the file is a part of a multipart body whose boundary follows from its content", () => {
  const file = `data:audio/mpeg;base64,${sound.toString("base64")}`;
  const run = new RunUnderTest(whisper, contextOf({ file, granularities: ["word", "segment"] }));
  const boundary = /^multipart\/form-data; boundary=(skillboss-[0-9a-f]{32})$/.exec(
    run.ask.headers["content-type"] ?? "",
  )?.[1];
  assert.ok(boundary !== undefined);
  const field = (name: string, value: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const expected = Buffer.concat([
    Buffer.from(
      field("model", "whisper-1") +
        field("response_format", "verbose_json") +
        field("timestamp_granularities[]", "word") +
        field("timestamp_granularities[]", "segment") +
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="file.mp3"\r\n` +
        "Content-Type: audio/mpeg\r\n\r\n",
    ),
    sound,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  assert.deepEqual(run.ask.body, expected);
  const other = new RunUnderTest(whisper, contextOf({ file, granularities: ["word"] }));
  assert.notEqual(other.ask.headers["content-type"], run.ask.headers["content-type"]);
  const end = run.end({ task: "transcribe", language: "english", duration: 8.47, text: "Hi.", segments: [] });
  assert.deepEqual(end.output, { text: "Hi.", language: "english", segments: [] });
  assert.deepEqual(end.usage, { audio_seconds: 8.47 });
});
