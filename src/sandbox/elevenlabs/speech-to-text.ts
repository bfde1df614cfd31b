import type { JsonObject } from "../json.ts";
import { stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { soundLengthMs } from "../speech/spoken.ts";
import { transcriptOf } from "../speech/transcript.ts";
import type { Transcript } from "../speech/transcript.ts";

/** What lies behind an address is taken to be this long: it is not fetched. */
const lengthBehindAddressMs = 60_000;

/** POST /v1/speech-to-text. Charged by the length of the sound, which the answer tells in `audio_duration_secs`. */
export function transcribe(request: RunRequest): RunAnswer {
  const fields = request.fields();
  const model = fields["model_id"];
  if (typeof model !== "string") throw new Refusal(422, "", { param: "model_id", code: "missing" });
  if (!model.startsWith("scribe")) {
    throw new Refusal(400, `A model with the model_id ${model} does not exist.`, {
      code: "invalid_model_id",
    });
  }
  const transcript = transcriptOf(request.seed, lengthOf(request, fields));
  return json({
    language_code: stringOr(fields["language_code"], "eng"),
    language_probability: 0.98,
    text: transcript.text,
    words: wordsOf(transcript, fields),
    transcription_id: request.seed.slice(0, 20),
    audio_duration_secs: transcript.seconds,
  });
}

function lengthOf(request: RunRequest, fields: JsonObject): number {
  const [file] = request.files("file");
  const address = fields["cloud_storage_url"] ?? fields["source_url"];
  if (file === undefined && address === undefined) {
    throw new Refusal(400, "A file or an address of one must be sent.", { code: "invalid_parameters" });
  }
  if (file?.bytes.length === 0) {
    throw new Refusal(400, "The file is empty.", { code: "empty_file" });
  }
  return file === undefined ? lengthBehindAddressMs : soundLengthMs(file.bytes);
}

/** Words with the spaces between them, each with its time unless none are wanted. */
function wordsOf({ words }: Transcript, fields: JsonObject): readonly JsonObject[] {
  const isTimed = fields["timestamps_granularity"] !== "none";
  const speaker = fields["diarize"] === "true" ? { speaker_id: "speaker_0" } : {};
  return words.flatMap(({ text, start, end }, at) => {
    const word = { text, type: "word", logprob: -0.05, ...(isTimed ? { start, end } : {}), ...speaker };
    const next = words[at + 1];
    if (next === undefined) return [word];
    const pause = isTimed ? { start: end, end: next.start } : {};
    return [word, { text: " ", type: "spacing", logprob: 0, ...pause, ...speaker }];
  });
}
