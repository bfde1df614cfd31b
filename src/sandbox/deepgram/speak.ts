import { checkFields } from "../field-rules.ts";
import { stringOr } from "../json.ts";
import { bytesOf, contentTypeOf } from "../media/media-file.ts";
import type { SoundFile } from "../media/media-file.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { bytes } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { spokenMs } from "../speech/spoken.ts";

const voices = /^aura(?:-2)?-[a-z]+-[a-z]{2}$/;
const mostCharacters = 2_000;
/** A byte of silence in the two forms of telephony, 8,000 a second. */
const silence = { mulaw: 0xff, alaw: 0xd5 };

/** POST /v1/speak. What is charged is in a header, whose name differs between the two generations of voices. */
export async function speak(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, { text: { is: "text", isRequired: true, least: 1 } }, 400);
  const text = stringOr(body["text"], "");
  const voice = request.query.get("model") ?? "aura-asteria-en";
  if (!voices.test(voice)) throw badRequest("No such model/version combination found.");
  if (text.length > mostCharacters) {
    throw new Refusal(413, `Input text exceeds maximum character limit of ${mostCharacters}.`);
  }
  const speed = Number(request.query.get("speed") ?? 1);
  const { type, content } = await soundIn(request, Math.round(spokenMs(text) / speed));
  const counted = voice.startsWith("aura-2-") ? "x-dg-characters" : "dg-char-count";
  return bytes(type, content, {
    headers: { "dg-model-name": voice, [counted]: String(Array.from(text).length) },
  });
}

type Sound = { readonly type: string; readonly content: Buffer };

async function soundIn(request: RunRequest, ms: number): Promise<Sound> {
  const { query } = request;
  const encoding = query.get("encoding") ?? "mp3";
  if (encoding === "mulaw" || encoding === "alaw")
    return { type: "audio/basic", content: Buffer.alloc(Math.round(ms * 8), silence[encoding]) };
  const kind = kindOf(encoding, query.get("container"));
  if (kind === undefined) throw badRequest(`Unsupported encoding: ${encoding}.`);
  const rate = query.get("sample_rate");
  const isFixed = kind === "mp3" || kind === "opus";
  if (isFixed && rate !== null) throw badRequest("Sample rate is not configurable for this encoding.");
  const file: SoundFile = {
    kind,
    ms,
    seed: request.seed,
    rate: Number(rate ?? (kind === "mp3" ? 22_050 : 24_000)),
    kbps: Math.round(Number(query.get("bit_rate") ?? 48_000) / 1_000),
  };
  return { type: kind === "pcm" ? "audio/l16" : contentTypeOf(file), content: await bytesOf(file) };
}

function kindOf(encoding: string, container: string | null): SoundFile["kind"] | undefined {
  switch (encoding) {
    case "linear16":
      return container === "none" ? "pcm" : "wav";
    case "mp3":
    case "opus":
    case "flac":
    case "aac":
      return encoding;
    default:
      return undefined;
  }
}
