import { loadTokenizer } from "../../answers/tokens.ts";
import { checkFields } from "../../field-rules.ts";
import type { FieldRules } from "../../field-rules.ts";
import { stringOr } from "../../json.ts";
import { bytesOf, contentTypeOf } from "../../media/media-file.ts";
import type { SoundFile } from "../../media/media-file.ts";
import { bytes, parts } from "../../run-answer.ts";
import type { RunAnswer } from "../../run-answer.ts";
import type { RunRequest } from "../../run-request.ts";
import { spokenMs } from "../../speech/spoken.ts";
import { refuseMissing } from "../models.ts";
import { eventStream, frameOf } from "./server-events.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  input: { is: "text", isRequired: true, least: 1, most: 4_096 },
  instructions: { is: "text" },
  response_format: { is: "text", oneOf: ["mp3", "opus", "aac", "flac", "wav", "pcm"] },
  speed: { is: "number", least: 0.25, most: 4 },
  stream_format: { is: "text", oneOf: ["audio", "sse"] },
};

const rate = 24_000;
const soundTokensPerSecond = 20;
const partBytes = 16_384;

/** POST /v1/audio/speech. Only the events of `stream_format: sse` tell a usage. */
export async function speak(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  // A voice may be a name or, for one's own, an object with an id.
  checkFields(
    body,
    { voice: { is: typeof body["voice"] === "object" ? "object" : "text", isRequired: true } },
    400,
  );
  refuseMissing(stringOr(body["model"], ""));
  const input = stringOr(body["input"], "");
  const speed = typeof body["speed"] === "number" ? body["speed"] : 1;
  const ms = Math.round(spokenMs(input) / speed);
  const file: SoundFile = { kind: kindIn(body["response_format"]), ms, seed: request.seed, rate };
  const sound = await bytesOf(file);
  if (body["stream_format"] !== "sse") return bytes(contentTypeOf(file), sound);
  const tokenizer = await loadTokenizer();
  const told = tokenizer.count(input);
  const spoken = Math.ceil((ms / 1_000) * soundTokensPerSecond);
  const usage = { input_tokens: told, output_tokens: spoken, total_tokens: told + spoken };
  return parts(eventStream, [...deltasOf(sound), frameOf("speech.audio.done", { usage })]);
}

function kindIn(format: unknown): SoundFile["kind"] {
  switch (format) {
    case "opus":
    case "aac":
    case "flac":
    case "wav":
    case "pcm":
      return format;
    default:
      return "mp3";
  }
}

function deltasOf(sound: Buffer): readonly string[] {
  const frames: string[] = [];
  for (let at = 0; at < sound.length; at += partBytes) {
    const audio = sound.subarray(at, at + partBytes).toString("base64");
    frames.push(frameOf("speech.audio.delta", { audio }));
  }
  return frames;
}
