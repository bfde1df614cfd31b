import { statSync } from "node:fs";
import { Problem } from "../../core/problems.ts";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { decodeBase64, inputFile, tooLarge } from "../input-file.ts";
import { InputValues } from "../input-values.ts";
import { Places } from "../places.ts";
import { findProgram } from "../find-program.ts";
import { ProgramFailure } from "../run-program.ts";
import type { AudioLength } from "../../core/sound/audio-duration.ts";
import type { Recording } from "./listen.ts";
import type { Transcript } from "./transcript.ts";
import { askProgram } from "./whisper-program.ts";
import { askServer, readServerUrl } from "./whisper-server.ts";

export type TranscribeSettings = {
  /** `SKILLBOSS_WHISPER`: whisper.cpp's program, by its path or its name on the search path. */
  readonly program: string | undefined;
  /** `SKILLBOSS_WHISPER_MODEL`: for the program its model file; for a server the model's name. */
  readonly model: string | undefined;
  /** `SKILLBOSS_WHISPER_URL`: a server of whisper.cpp or an OpenAI-compatible one. Goes before the program. */
  readonly url: string | undefined;
  /** `SKILLBOSS_WHISPER_API_KEY`, for servers that want one. */
  readonly apiKey: string | undefined;
  /** `PATH`. */
  readonly searchPath: string;
  /** For one recording; a quarter of an hour unless told otherwise. */
  readonly timeoutMs?: number;
};

const maxAudioBytes = 50_000_000;
const maxPromptChars = 1000;

/** Turns a recording into text, by whisper.cpp on this machine or by a server that speaks its language. */
export function transcribeEngine(settings: TranscribeSettings): Engine {
  // A program takes all processors for itself; a server has its own queue.
  const places = new Places(settings.url === undefined ? 1 : 4, 24);
  const stopping = new AbortController();
  return {
    name: "transcribe",
    missing: () => whatIsMissing(settings),
    async run(context) {
      const missing = whatIsMissing(settings);
      if (missing !== undefined) throw new Problem("provider_not_configured", { message: missing });
      const timeoutMs = settings.timeoutMs ?? 900_000;
      const expired = timedOut(timeoutMs);
      const signal = AbortSignal.any([context.signal, stopping.signal, expired.signal]);
      try {
        const { recording, length } = await readRecording({ ...context, signal });
        const transcript = await places.in(signal, () => transcribe(settings, recording, timeoutMs));
        return resultOf(transcript, length);
      } finally {
        expired.clear();
      }
    },
    stop() {
      stopping.abort(new Problem("shutting_down"));
      return Promise.resolve();
    },
  };
}

function timedOut(timeoutMs: number): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  const problem = new Problem("upstream_timeout", { message: "Transcribing took too long." });
  const timer = setTimeout(() => controller.abort(problem), timeoutMs);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

function whatIsMissing({ program, model, url, searchPath }: TranscribeSettings): string | undefined {
  if (url !== undefined)
    return readServerUrl(url) === undefined
      ? "Set SKILLBOSS_WHISPER_URL to the http address of a whisper server, such as http://127.0.0.1:8080/inference."
      : undefined;
  if (program === undefined)
    return "Set SKILLBOSS_WHISPER_URL to a whisper server, or SKILLBOSS_WHISPER to whisper.cpp's program and SKILLBOSS_WHISPER_MODEL to a model file.";
  if (findProgram(program, searchPath) === undefined)
    return "SKILLBOSS_WHISPER names no program: set it to the path of whisper.cpp's whisper-cli.";
  if (model === undefined || !isFile(model))
    return "Set SKILLBOSS_WHISPER_MODEL to the path of a whisper.cpp model file, such as ggml-base.bin.";
  return undefined;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function readRecording(
  context: EngineContext,
): Promise<{ readonly recording: Recording; readonly length: AudioLength }> {
  const inputs = new InputValues(context.inputs);
  const language = inputs.text("language", 20)?.toLowerCase();
  if (language !== undefined && !/^[a-z]{2,3}(?:[-_][a-z\d]{2,8})*$/.test(language))
    throw inputs.refusal("language", "language is a code such as en or de.");
  // The program would take a NUL for the end, and a form has no use for other control characters.
  const prompt = inputs
    .text("prompt", maxPromptChars)
    ?.replaceAll(/\p{Cc}+/gu, " ")
    .trim();
  const { bytes, name } = await audioIn(context, inputs);
  const { audioLength } = await import("../../core/sound/audio-duration.ts");
  const length = audioLength(bytes);
  if (length === undefined)
    throw inputs.refusal(name, `${name} is no WAV, MP3, FLAC, OGG, M4A or WebM recording with sound in it.`);
  const recording = {
    bytes,
    format: length.format,
    language: language?.slice(0, /[-_]/.exec(language)?.index),
    prompt: prompt === "" ? undefined : prompt,
    signal: context.signal,
  };
  return { recording, length };
}

async function audioIn(
  context: EngineContext,
  inputs: InputValues,
): Promise<{ readonly bytes: Buffer; readonly name: string }> {
  if (!inputs.has("audio_data")) {
    const name = "audio_url";
    const file = await inputFile(context, { inputs, name, maxBytes: maxAudioBytes });
    if (file !== undefined) return { bytes: file.bytes, name };
    throw inputs.refusal("audio_data", "Send audio_data (base64) or audio_url.");
  }
  const name = "audio_data";
  const text = inputs.text(name, maxAudioBytes * 1.5) ?? "";
  const bytes = decodeBase64(text.replace(/^data:[^,]{0,200}?;base64,/i, ""), maxAudioBytes);
  if (bytes === undefined) throw inputs.refusal(name, "audio_data is base64.");
  if (bytes === "too_large") throw inputs.refusal(name, tooLarge(name, maxAudioBytes));
  return { bytes, name };
}

async function transcribe(
  { program = "", model, url, apiKey, searchPath }: TranscribeSettings,
  recording: Recording,
  timeoutMs: number,
): Promise<Transcript> {
  const server = url === undefined ? undefined : readServerUrl(url);
  if (server !== undefined) return askServer({ url: server, apiKey, model: model ?? "whisper-1" }, recording);
  const found = findProgram(program, searchPath);
  if (found === undefined || model === undefined) throw new Problem("service_unavailable");
  const converter = findProgram("ffmpeg", searchPath);
  try {
    return await askProgram({ program: found, model, converter, searchPath, timeoutMs }, recording);
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error;
    const code = error.kind === "timeout" ? "upstream_timeout" : "run_failed";
    throw new Problem(code, { message: "The recording could not be transcribed.", cause: error });
  }
}

function resultOf(
  { text, language, segments, heardSeconds = 0 }: Transcript,
  length: AudioLength,
): EngineResult {
  const seconds = paidSeconds(length.seconds, heardSeconds);
  return {
    output: {
      text,
      ...(language === undefined ? {} : { language }),
      duration_seconds: seconds,
      ...(segments === undefined ? {} : { segments }),
    },
    files: [],
    usage: { audio_seconds: seconds },
    isEmpty: text === "",
  };
}

/** What the file says of itself, unless much more than that was heard: a header is easily forged. */
function paidSeconds(declared: number, heard: number): number {
  return heard > declared * 1.05 + 1 ? Math.round(heard * 1000) / 1000 : declared;
}
