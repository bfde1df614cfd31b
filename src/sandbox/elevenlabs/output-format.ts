import type { Headers } from "../exchange.ts";
import { bytesOf, contentTypeOf } from "../media/media-file.ts";
import { Refusal } from "../refusal.ts";
import { bytes, parts } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const usual = "mp3_44100_128";
const form = /^(mp3|pcm|wav|opus|ulaw|alaw)_(\d{4,5})(?:_(\d{2,3}))?$/;
/** A byte of silence in the two forms of telephony, 8,000 a second. */
const silence = { ulaw: 0xff, alaw: 0xd5 };
const partBytes = 8_192;

type Spoken = {
  readonly ms: number;
  readonly headers: Headers;
  /** Sent while it is spoken. */
  readonly isStreamed: boolean;
};

/** A sound in the form that the query asks for, such as `mp3_44100_128`. */
export async function soundAnswer(
  request: RunRequest,
  { ms, headers, isStreamed }: Spoken,
): Promise<RunAnswer> {
  const asked = request.query.get("output_format") ?? usual;
  const [, kind = "", rate = "", kbps = ""] = form.exec(asked) ?? [];
  const sound = await soundIn(kind, { ms, seed: request.seed, rate: Number(rate), kbps: Number(kbps) });
  if (sound === undefined) {
    throw new Refusal(422, "The output format is not known.", {
      param: "query.output_format",
      code: "not_allowed",
    });
  }
  if (!isStreamed) return bytes(sound.type, sound.content, { headers });
  const pieces: Buffer[] = [];
  for (let at = 0; at < sound.content.length; at += partBytes) {
    pieces.push(sound.content.subarray(at, at + partBytes));
  }
  return parts(sound.type, pieces, { headers });
}

type Wanted = { readonly ms: number; readonly seed: string; readonly rate: number; readonly kbps: number };

async function soundIn(kind: string, { ms, seed, rate, kbps }: Wanted) {
  switch (kind) {
    case "mp3":
    case "pcm":
    case "wav":
    case "opus": {
      const file = { kind, ms, seed, rate, kbps } as const;
      return { type: contentTypeOf(file), content: await bytesOf(file) };
    }
    case "ulaw":
    case "alaw":
      return { type: "audio/basic", content: Buffer.alloc(Math.round(ms * 8), silence[kind]) };
    default:
      return undefined;
  }
}
