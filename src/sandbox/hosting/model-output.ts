import { fingerprintOf } from "../answers/random.ts";
import type { Job } from "../job.ts";
import { numberIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { sizeIn } from "../media/asked-size.ts";
import type { MediaFile, PictureFile } from "../media/media-file.ts";
import { spokenMs } from "../speech/spoken.ts";

/** What models of a host of many make, told by their names; pictures unless a name says otherwise. */
export type OutputKind =
  | "pictures"
  | "picture"
  | "drawing"
  | "edited"
  | "traced"
  | "video"
  | "sound"
  | "transcript"
  | "text";

const kinds: readonly (readonly [OutputKind, RegExp])[] = [
  ["drawing", /text-to-vector|-svg$/],
  ["traced", /vectorize/],
  ["transcript", /whisper|wizper|speech-to-text|transcri/],
  ["sound", /\btts$|ace-step|zonos/],
  ["video", /-to-video|upscale\/video|mmaudio-v2$/],
  ["pictures", /-to-image|photon|wan.*\/edit$/],
  [
    "edited",
    /upscal|esrgan|clarity|rembg|remove-?bg|background-remov|remove-background|birefnet|codeformer|gfpgan|restor|try-?on/,
  ],
  [
    "video",
    /video|veo|kling|hailuo|\bwan\b|wan-|luma|\bray\b|seedance|pixverse|ltx|hunyuan-v|sora|mochi|gen-4|vidu\/q3|happyhorse/,
  ],
  ["video", /omnihuman|framepack|hunyuan-(?:avatar|custom)|\bmagi|marey|\bovi\b|pika|skyreels|transpixar/],
  ["sound", /music|tts|speech|audio|bark|sound|voice|lyria|kokoro|chatterbox/],
  ["text", /llama|mistral|gpt-|claude|deepseek|instruct|any-llm|qwen-?\d|gemini.*(?:pro|flash)$|vision/],
  ["pictures", /schnell|flux-dev|flux\/dev|flux-lora|sdxl|stable-diffusion/],
  ["picture", /flux|ideogram|imagen|recraft|banana|seedream/],
];

export function outputKindOf(model: string): OutputKind {
  const name = model.toLowerCase();
  return kinds.find(([, form]) => form.test(name))?.[0] ?? "pictures";
}

const mostPictures = 10;
const usualSize = { width: 1_024, height: 1_024 };
const usualVideo = { width: 1_280, height: 720 };
const usualVideoSeconds = 5;
const usualSoundMs = 8_000;

/** What the result of a model needs to know of its input: small enough for a job's id. */
export function factsOf(kind: OutputKind, input: JsonObject): JsonObject {
  switch (kind) {
    case "pictures":
    case "picture":
      return { kind, ...sizeIn(input, usualSize), count: countIn(input, kind), format: formatIn(input) };
    case "drawing":
      return { kind, ...sizeIn(input, usualSize), count: 1, format: "svg" };
    case "traced":
      return { kind, ...usualSize, count: 1, format: "svg" };
    case "edited": {
      const scale = Math.min(4, Math.max(1, numberIn(input["scale"] ?? input["upscale_factor"]) ?? 2));
      return { kind, width: 512 * scale, height: 512 * scale, count: 1, format: "png" };
    }
    case "video":
      return { kind, ...sizeIn(input, usualVideo), seconds: secondsIn(input) };
    case "sound":
      return { kind, ms: soundMsIn(input) };
    case "transcript":
    case "text":
      return { kind };
  }
}

function countIn(input: JsonObject, kind: OutputKind): number {
  const asked = numberIn(input["num_outputs"] ?? input["num_images"]) ?? 1;
  return kind === "pictures" && asked >= 1 ? Math.min(mostPictures, Math.floor(asked)) : 1;
}

function formatIn(input: JsonObject): PictureFile["kind"] {
  const asked = input["output_format"];
  if (asked === "png" || asked === "webp") return asked;
  return "jpeg";
}

function secondsIn({ duration, seconds }: JsonObject): number {
  const asked = numberIn(duration ?? seconds) ?? 0;
  return asked > 0 ? Math.min(120, asked) : usualVideoSeconds;
}

function soundMsIn(input: JsonObject): number {
  const asked = numberIn(input["duration"] ?? input["seconds_total"]) ?? 0;
  if (asked > 0) return Math.min(600, asked) * 1_000;
  const text = input["text"] ?? input["prompt"];
  return typeof text === "string" ? spokenMs(text) : usualSoundMs;
}

/** The files of a job's result, in their order; none for words. */
export function filesOf({ facts, seed }: Job): readonly MediaFile[] {
  const { kind, width, height, count, format, seconds, ms } = facts;
  const size = { width: Number(width), height: Number(height) };
  switch (kind) {
    case "pictures":
    case "picture":
    case "drawing":
    case "edited":
    case "traced":
      return Array.from({ length: Math.min(mostPictures, Number(count)) }, (_, at) => ({
        kind: format === "png" || format === "webp" || format === "svg" ? format : "jpeg",
        seed: fingerprintOf(`${seed} ${at}`),
        ...size,
      }));
    case "video":
      return [{ kind: "mp4", seed, ms: Number(seconds) * 1_000, ...size }];
    case "sound":
      return [{ kind: "wav", seed, ms: Number(ms), rate: 24_000 }];
    default:
      return [];
  }
}
