import { loadTokenizer } from "../../answers/tokens.ts";
import { checkFields } from "../../field-rules.ts";
import type { FieldRules } from "../../field-rules.ts";
import { stringOr, stringsIn } from "../../json.ts";
import type { JsonObject } from "../../json.ts";
import { badRequest } from "../../refusal.ts";
import { bytes, json, parts } from "../../run-answer.ts";
import type { RunAnswer } from "../../run-answer.ts";
import type { RunRequest } from "../../run-request.ts";
import { soundLengthMs } from "../../speech/spoken.ts";
import { transcriptOf } from "../../speech/transcript.ts";
import type { Transcript } from "../../speech/transcript.ts";
import { refuseMissing } from "../models.ts";
import { eventStream, frameOf } from "./server-events.ts";
import { segmentsOf, subtitlesOf } from "./subtitles.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  language: { is: "text" },
  prompt: { is: "text" },
  response_format: {
    is: "text",
    oneOf: ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"],
  },
};

const endings = /\.(?:flac|mp3|mp4|mpeg|mpga|m4a|ogg|wav|webm)$/i;
const soundTokensPerSecond = 10;

type Task = "transcribe" | "translate";

/** POST /v1/audio/transcriptions. */
export async function transcribe(request: RunRequest): Promise<RunAnswer> {
  return await heard(request, "transcribe");
}

/** POST /v1/audio/translations: into English. */
export async function translate(request: RunRequest): Promise<RunAnswer> {
  return await heard(request, "translate");
}

async function heard(request: RunRequest, task: Task): Promise<RunAnswer> {
  const fields = request.fields();
  checkFields(fields, rules, 400);
  const model = stringOr(fields["model"], "");
  refuseMissing(model);
  const [file] = request.files("file");
  if (file === undefined) throw badRequest("'file' is required.", "file");
  if (!endings.test(file.filename ?? "") || file.bytes.length === 0) {
    throw badRequest("The file is empty or of a form that is not supported.", "file");
  }
  const transcript = transcriptOf(request.seed, soundLengthMs(file.bytes));
  const usage = await usageOf(model, transcript, stringOr(fields["prompt"], ""));
  if (fields["stream"] === "true" && model !== "whisper-1") return streamed(transcript, usage);
  return answerIn(fields, { transcript, usage, task });
}

type Heard = { readonly transcript: Transcript; readonly usage: JsonObject; readonly task: Task };

function answerIn(fields: JsonObject, { transcript, usage, task }: Heard): RunAnswer {
  const { text, seconds } = transcript;
  switch (fields["response_format"]) {
    case "text":
      return bytes("text/plain; charset=utf-8", `${text}\n`);
    case "srt":
    case "vtt":
      return bytes("text/plain; charset=utf-8", subtitlesOf(transcript, fields["response_format"]));
    case "verbose_json":
      return json({ ...verboseOf(transcript, fields, task), usage });
    case "diarized_json": {
      const segments = segmentsOf(transcript).map(({ start, end, text: said }, at) => ({
        type: "transcript.text.segment",
        id: `seg_${at}`,
        start,
        end,
        text: said,
        speaker: "A",
      }));
      return json({ task, duration: seconds, text, segments, usage });
    }
    default:
      return json({ text, usage });
  }
}

function verboseOf(transcript: Transcript, fields: JsonObject, task: Task): JsonObject {
  const granularities = [fields["timestamp_granularities"]].flat();
  const wanted = stringsIn(granularities);
  const segments = segmentsOf(transcript).map((segment, id) => ({
    id,
    seek: 0,
    ...segment,
    tokens: [],
    temperature: 0,
    avg_logprob: -0.2,
    compression_ratio: 1.2,
    no_speech_prob: 0.01,
  }));
  const words = transcript.words.map(({ text, start, end }) => ({ word: text, start, end }));
  return {
    task,
    language: "english",
    duration: transcript.seconds,
    text: transcript.text,
    ...(wanted.length === 0 || wanted.includes("segment") ? { segments } : {}),
    ...(wanted.includes("word") ? { words } : {}),
  };
}

/** Whisper is charged by the second, the later models by tokens. */
async function usageOf(model: string, { seconds, text }: Transcript, prompt: string): Promise<JsonObject> {
  if (model.includes("whisper")) return { type: "duration", seconds: Math.ceil(seconds) };
  const tokenizer = await loadTokenizer();
  const [asked, output] = [tokenizer.count(prompt), tokenizer.count(text)];
  const sound = Math.round(seconds * soundTokensPerSecond);
  return {
    type: "tokens",
    input_tokens: asked + sound,
    input_token_details: { text_tokens: asked, audio_tokens: sound },
    output_tokens: output,
    total_tokens: asked + sound + output,
  };
}

function streamed({ text }: Transcript, usage: JsonObject): RunAnswer {
  const deltas = text.split(/(?= )/).map((delta) => frameOf("transcript.text.delta", { delta }));
  return parts(eventStream, [...deltas, frameOf("transcript.text.done", { text, usage })]);
}
