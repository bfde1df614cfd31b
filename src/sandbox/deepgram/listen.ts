import { fingerprintOf } from "../answers/random.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { soundLengthMs } from "../speech/spoken.ts";
import { transcriptOf } from "../speech/transcript.ts";
import type { Transcript } from "../speech/transcript.ts";
import { isWebAddress } from "../web/page.ts";
import { requestIdOf } from "./request-id.ts";

/** What lies behind an address is taken to be this long: it is not fetched. */
const lengthBehindAddressMs = 60_000;
const models = /^(?:nova|enhanced|base|whisper)(?:-[a-z0-9-]+)?$/;
const wordsPerUtterance = 12;

/** POST /v1/listen: the sound is the body, whatever its type, or JSON names its address. Charged by `metadata.duration`. */
export function listen(request: RunRequest): RunAnswer {
  const model = request.query.get("model") ?? "base";
  if (!models.test(model)) throw badRequest("Bad Request: No such model/language/tier combination found.");
  const transcript = transcriptOf(request.seed, lengthOf(request));
  return json({ metadata: metadataOf(request, model, transcript), results: resultsOf(request, transcript) });
}

function lengthOf(request: RunRequest): number {
  if (!/^application\/json\b/i.test(request.header("content-type"))) {
    if (request.body.length > 0) return soundLengthMs(request.body);
    throw badRequest("Bad Request: failed to process audio: corrupt or unsupported data");
  }
  const { url } = request.json();
  if (url === undefined) throw new Refusal(400, "missing field `url`", { code: "missing", param: "url" });
  if (isWebAddress(url)) return lengthBehindAddressMs;
  throw new Refusal(400, "The remote URL could not be fetched.", { code: "REMOTE_CONTENT_ERROR" });
}

function metadataOf(request: RunRequest, model: string, { seconds }: Transcript): JsonObject {
  const id = requestIdOf(request);
  return {
    transaction_key: "deprecated",
    request_id: id,
    sha256: fingerprintOf(request.body.toString("latin1")),
    created: new Date(request.now()).toISOString(),
    duration: seconds,
    channels: 1,
    models: [id],
    model_info: { [id]: { name: `general-${model}`, version: "2026-06-01.0", arch: model } },
  };
}

function resultsOf(request: RunRequest, transcript: Transcript): JsonObject {
  const asks = (name: string): boolean => request.query.get(name) === "true";
  const words = wordsOf(transcript, {
    isWritten: asks("smart_format") || asks("punctuate"),
    hasSpeakers: asks("diarize"),
  });
  const transcribed = words.map(({ word, punctuated_word: written }) => written ?? word).join(" ");
  const alternative = { transcript: transcribed, confidence: 0.99, words };
  const language = asks("detect_language") ? { detected_language: "en", language_confidence: 0.98 } : {};
  return {
    channels: [{ alternatives: [alternative], ...language }],
    ...(asks("utterances") ? { utterances: utterancesOf(words) } : {}),
  };
}

type Word = {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly punctuated_word?: string;
  readonly speaker?: number;
};

type Wish = { readonly isWritten: boolean; readonly hasSpeakers: boolean };

/** Words are in lower case without marks; how they are written is told apart, where it is asked for. */
function wordsOf({ words }: Transcript, { isWritten, hasSpeakers }: Wish): readonly Word[] {
  return words.map(({ text, start, end }) => ({
    word: text.toLowerCase().replaceAll(/[.,;:!?]/g, ""),
    start,
    end,
    confidence: 0.99,
    ...(isWritten ? { punctuated_word: text } : {}),
    ...(hasSpeakers ? { speaker: 0 } : {}),
  }));
}

function utterancesOf(words: readonly Word[]): readonly JsonObject[] {
  const utterances: JsonObject[] = [];
  for (let at = 0; at < words.length; at += wordsPerUtterance) {
    const said = words.slice(at, at + wordsPerUtterance);
    utterances.push({
      start: said[0]?.start,
      end: said.at(-1)?.end,
      confidence: 0.99,
      channel: 0,
      transcript: said.map(({ word, punctuated_word: written }) => written ?? word).join(" "),
      words: said,
      id: fingerprintOf(`utterance ${at}`).slice(0, 32),
    });
  }
  return utterances;
}
