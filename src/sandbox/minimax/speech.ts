import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, numberIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { bytesOf } from "../media/media-file.ts";
import type { SoundFile } from "../media/media-file.ts";
import { Refusal } from "../refusal.ts";
import { json, parts } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { spokenMs } from "../speech/spoken.ts";

const mostCharacters = 10_000;
const models = /^speech-\d\d?(?:\.\d)?-(?:hd|turbo)(?:-preview)?$/;
const formats = ["mp3", "pcm", "flac", "wav"] as const;

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  text: { is: "text", isRequired: true, least: 1 },
  stream: { is: "boolean" },
  voice_setting: { is: "object" },
  audio_setting: { is: "object" },
  output_format: { is: "text", oneOf: ["hex", "url"] },
};
const voiceRules: FieldRules = {
  voice_id: { is: "text", isRequired: true },
  speed: { is: "number", least: 0.5, most: 2 },
  vol: { is: "number", least: 0.01, most: 10 },
  pitch: { is: "integer", least: -12, most: 12 },
  emotion: { is: "text" },
};
const soundRules: FieldRules = {
  sample_rate: { is: "integer", oneOf: [8_000, 16_000, 22_050, 24_000, 32_000, 44_100] },
  bitrate: { is: "integer", oneOf: [32_000, 64_000, 128_000, 256_000] },
  format: { is: "text", oneOf: formats },
  channel: { is: "integer", oneOf: [1, 2] },
};

/** POST /v1/t2a_v2: sound in hexadecimal digits, or an address of it; streamed as server-sent events. */
export async function speak(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  const voice = objectIn(body, "voice_setting");
  const wanted = objectIn(body, "audio_setting");
  checkFields(body, rules, 400);
  checkFields(voice, voiceRules, 400);
  checkFields(wanted, soundRules, 400);
  const text = stringOr(body["text"], "");
  refuseUnspeakable(request, { text, voice, model: stringOr(body["model"], "") });
  const ms = Math.round(spokenMs(text) / (numberIn(voice["speed"]) ?? 1));
  const file = soundFile(request, wanted, ms);
  const sound = await bytesOf(file);
  const facts = { extra_info: factsOf({ text, file, sound, wanted }), trace_id: request.seed.slice(0, 32) };
  if (body["stream"] === true) return streamed(sound, facts);
  const audio = body["output_format"] === "url" ? request.fileUrl(file, addressMs) : sound.toString("hex");
  return json({ data: { audio, status: 2 }, ...facts, base_resp: success });
}

const success = { status_code: 0, status_msg: "success" };
const addressMs = 86_400_000;

function objectIn(body: JsonObject, name: string): JsonObject {
  const value = body[name];
  return isObject(value) ? value : {};
}

type Asked = { readonly text: string; readonly voice: JsonObject; readonly model: string };

function refuseUnspeakable({ jobOrders }: RunRequest, { text, voice, model }: Asked): void {
  if (!models.test(model)) throw new Refusal(400, `unknown model '${model}'`);
  if (text.length > mostCharacters) throw new Refusal(400, "text is too long");
  if (stringOr(voice["voice_id"], "").startsWith("missing"))
    throw new Refusal(400, "voice id not exist", { code: "2054" });
  if (jobOrders.end === "refused") throw new Refusal(400, "input new_sensitive", { code: "1026" });
}

function soundFile({ seed }: RunRequest, wanted: JsonObject, ms: number): SoundFile {
  const kind = formats.find((format) => format === wanted["format"]) ?? "mp3";
  const rate = numberIn(wanted["sample_rate"]) ?? 32_000;
  return { kind, ms, seed, rate, kbps: (numberIn(wanted["bitrate"]) ?? 128_000) / 1_000 };
}

type Spoken = {
  readonly text: string;
  readonly file: SoundFile;
  readonly sound: Buffer;
  readonly wanted: JsonObject;
};

function factsOf({ text, file, sound, wanted }: Spoken): JsonObject {
  return {
    audio_length: file.ms,
    audio_sample_rate: file.rate,
    audio_size: sound.length,
    audio_bitrate: (file.kbps ?? 0) * 1_000,
    audio_format: file.kind,
    audio_channel: numberIn(wanted["channel"]) ?? 1,
    word_count: text.split(/\s+/).filter((word) => word !== "").length,
    invisible_character_ratio: 0,
    usage_characters: chargedCharacters(text),
  };
}

/** Characters of Chinese, Japanese and Korean count twice. */
function chargedCharacters(text: string): number {
  const characters = Array.from(text);
  return (
    characters.length +
    characters.filter((one) => /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u.test(one)).length
  );
}

const partBytes = 16_384;

function streamed(sound: Buffer, facts: JsonObject): RunAnswer {
  const frames: string[] = [];
  for (let at = 0; at < sound.length; at += partBytes) {
    const audio = sound.subarray(at, at + partBytes).toString("hex");
    frames.push(frameOf({ data: { audio, status: 1 }, trace_id: facts["trace_id"], base_resp: success }));
  }
  const last = { data: { audio: sound.toString("hex"), status: 2 }, ...facts, base_resp: success };
  return parts("text/event-stream", [...frames, frameOf(last)]);
}

function frameOf(value: JsonObject): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
