import type { ServerResponse } from "node:http";
import { extname } from "node:path";
import { z } from "zod";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { fileLimitsOf } from "../files/file-limits.ts";
import { acceptedRun } from "./answer-schemas.ts";
import { withForm } from "./door.ts";
import type { Door, Visit } from "./door.ts";
import { fitted, inputOf, listedValues } from "./fitted-inputs.ts";
import type { Vocabulary } from "./fitted-inputs.ts";
import { membersOf } from "./form-body.ts";
import type { FormBody, FormFile } from "./form-body.ts";
import { mediaModel } from "./media-model.ts";
import { formLimitsOf, serveMedia } from "./media-run.ts";
import type { MediaHouse } from "./media-run.ts";
import { transcript, transcriptEvent } from "./media-schemas.ts";
import { hasTimes, showTranscript, transcriptFormats } from "./transcript-answer.ts";
import type { TranscriptWish } from "./transcript-answer.ts";

/** What is not told as JSON is text, subtitles too. */
const told = {
  answerForm: transcript,
  eventForm: transcriptEvent,
  otherAnswers: [{ mediaType: "text/plain", form: z.string() }, acceptedRun],
};

/** Every other input of the model is taken as well. */
const fields = z.looseObject({
  file: z.file().describe("One recording."),
  model: z.string().min(1).describe("Any model that writes down what is said, see GET /v1/models."),
  response_format: z.enum(transcriptFormats).optional().describe("json if left out."),
  stream: z.boolean().optional().describe("true: the text as server-sent events, when it is whole."),
  language: z.string().optional(),
  prompt: z.string().optional(),
  temperature: z.number().optional(),
  timestamp_granularities: z
    .array(z.enum(["word", "segment"]))
    .optional()
    .describe("What verbose_json tells times of; also as `timestamp_granularities[]`."),
});

type Task = TranscriptWish["task"];

/** OpenAI's addresses for what is said in a recording, for every model that writes it down. */
export function transcriptionDoors(house: MediaHouse): readonly Door[] {
  const form = { limits: formLimitsOf(house), fields };
  return [
    {
      method: "POST",
      path: "/v1/audio/transcriptions",
      access: "caller",
      summary:
        "Writes down a recording: a form with `file`, `model`, and others in OpenAI's names or the model's.",
      answers: "As `response_format` says: json, text, verbose_json, srt or vtt.",
      ...told,
      ...withForm(form, (visit, response) => listen(visit, { response, house, task: "transcribe" })),
    },
    {
      method: "POST",
      path: "/v1/audio/translations",
      access: "caller",
      summary: "Writes down a recording in English: a form with `file`, `model`, and others.",
      answers: "As `response_format` says: json, text, verbose_json, srt or vtt.",
      ...told,
      ...withForm(form, (visit, response) => listen(visit, { response, house, task: "translate" })),
    },
  ];
}

const vocabulary: Vocabulary = {
  language: [],
  prompt: [],
  temperature: [],
  timestamp_granularities: [],
  include: [],
  chunking_strategy: [],
  known_speaker_names: [],
  known_speaker_references: [],
};

const lists = ["timestamp_granularities", "include", "known_speaker_names", "known_speaker_references"];

type Listening = { readonly response: ServerResponse; readonly house: MediaHouse; readonly task: Task };

async function listen(visit: Visit<FormBody>, { response, house, task }: Listening): Promise<void> {
  const { catalog } = house.chat;
  const form = visit.body;
  const { model: name, response_format: format, stream, ...fields } = membersOf(form, lists);
  if (typeof name !== "string" || name === "") throw missing("model");
  const model = mediaModel(name, "stt", { caller: visit.caller(), catalog });
  const wish = wishOf(format, { form, task, isStreamed: stream === "true" });
  checkTimes(model, wish);
  const { inputs, dropped } = fitted(model, fields, vocabulary);
  const asked = { ...inputs, ...taskInput(model, task), ...wordTimes(model, wish) };
  const sound = await soundInputs(model, fileIn(form), { visit, house });
  await serveMedia({ model: name, inputs: { ...asked, ...sound }, dropped }, response, {
    house,
    visit,
    show: (made, shown, headers) =>
      showTranscript(made, shown, { wish, requestId: visit.requestId, headers }),
  });
}

function missing(param: string): Problem {
  return new Problem("invalid_request", { param, message: `${param}: is required.` });
}

type Wishing = { readonly form: FormBody; readonly task: Task; readonly isStreamed: boolean };

function wishOf(given: unknown, { form, task, isStreamed }: Wishing): TranscriptWish {
  const format = transcriptFormats.find((one) => one === (given ?? "json"));
  if (format === undefined)
    throw new Problem("invalid_request", {
      param: "response_format",
      message: `response_format: want one of ${transcriptFormats.join(", ")}.`,
    });
  const times = form.texts.get("timestamp_granularities") ?? [];
  return {
    format,
    task,
    isStreamed,
    wantsWords: times.includes("word"),
    wantsSegments: times.length === 0 || times.includes("segment"),
  };
}

/** Before anything is asked or charged: a model that tells no times cannot make subtitles. */
function checkTimes(model: RunModel, { format }: TranscriptWish): void {
  if (!hasTimes(format) || tellsTimes(model)) return;
  const message = "response_format: this model tells no times; want json or text.";
  throw new Problem("invalid_request", { param: "response_format", message });
}

/** As far as the catalog says; an engine of this server says for itself. */
function tellsTimes({ offers }: RunModel): boolean {
  return offers.some(({ work }) => {
    if (!("endpoint" in work)) return true;
    const { output } = work.endpoint;
    return isJsonObject(output) && ("words" in output || "segments" in output);
  });
}

/** Models that translate have the choice among their inputs. */
function taskInput(model: RunModel, task: Task): JsonObject {
  const tasks = listedValues(model, "task");
  if (task === "transcribe") return {};
  if (tasks.includes("translations")) return { task: "translations" };
  throw new Problem("wrong_endpoint", {
    param: "model",
    message: "This model does not translate: call it with POST /v1/audio/transcriptions.",
  });
}

/** Subtitles are made of pieces; where words are wanted, the model is asked for them. */
function wordTimes(model: RunModel, { format, wantsWords, wantsSegments }: TranscriptWish): JsonObject {
  if (inputOf(model, "timestamp_granularities") === undefined || !hasTimes(format)) return {};
  const wanted = [...(wantsWords ? ["word"] : []), ...(wantsSegments || !wantsWords ? ["segment"] : [])];
  return { timestamp_granularities: format === "verbose_json" ? wanted : ["segment"] };
}

function fileIn({ files }: FormBody): FormFile {
  const [file, ...others] = files.get("file") ?? [];
  if (file === undefined) throw missing("file");
  if (others.length > 0)
    throw new Problem("invalid_request", { param: "file", message: "Send one file at a time." });
  if (file.bytes.length === 0)
    throw new Problem("invalid_request", { param: "file", message: "The file is empty." });
  return file;
}

type Storing = { readonly visit: Visit<unknown>; readonly house: MediaHouse };

/** The recording within the inputs, or as an address of ours for a model that takes addresses only. */
async function soundInputs(model: RunModel, file: FormFile, { visit, house }: Storing): Promise<JsonObject> {
  const name = nameOf(file);
  if (inputOf(model, "audio_data") !== undefined) {
    const filename = inputOf(model, "filename") === undefined ? {} : { filename: name };
    return { audio_data: file.bytes.toString("base64"), ...filename };
  }
  const { accountId, mode, plan } = visit.caller();
  const { files } = house.runs;
  const limits = fileLimitsOf(plan);
  const stored = await files.store({
    accountId,
    mode,
    limits,
    name,
    hint: file.contentType,
    sizeBytes: file.bytes.length,
    body: once(file),
  });
  return { audio_url: files.urlOf(stored, house.publicUrl ?? visit.origin) };
}

async function* once({ bytes }: FormFile): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
}

const endings: Readonly<Record<string, string>> = {
  "audio/aac": "m4a",
  "audio/flac": "flac",
  "audio/mp4": "m4a",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "audio/webm": "webm",
  "video/mp4": "mp4",
  "video/webm": "webm",
};

/** Providers tell the kind of a recording by the ending of its name. */
function nameOf({ name = "audio", contentType }: FormFile): string {
  const bare = name.replaceAll(/[/\\\p{Cc}]/gu, "_").slice(-200);
  return extname(bare) === "" ? `${bare}.${endings[contentType] ?? "mp3"}` : bare;
}
