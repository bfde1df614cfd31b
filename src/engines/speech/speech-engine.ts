import { Problem } from "../../core/problems.ts";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { charsIn, InputValues } from "../input-values.ts";
import { Places } from "../places.ts";
import { wavSeconds } from "../../core/sound/wav-duration.ts";
import { findProgram } from "../find-program.ts";
import { ProgramFailure, runProgram } from "../run-program.ts";
import { converters, convertSound, soundFormats, soundTypes } from "./sound-format.ts";
import type { Converter, SoundFormat } from "./sound-format.ts";
import { VoiceLists } from "./installed-voices.ts";
import { spokenVoice, voiceWish } from "./voice.ts";
import type { VoiceWish } from "./voice.ts";
import { withTrueSizes } from "./wav-header.ts";

export type SpeechSettings = {
  /** `SKILLBOSS_ESPEAK`: the program's path, when it is not on the search path as `espeak-ng`. */
  readonly program: string | undefined;
  /** `PATH`. */
  readonly searchPath: string;
};

const maxChars = 5000;
/** Twenty-four minutes of speech: what the longest text takes at an ordinary speed, several times over. */
const maxWavBytes = 64_000_000;
const workMs = 60_000;
const wordsPerMinute = 175;
/** It speaks no slower: a smaller `speed` sounds like this one. */
const slowestWordsPerMinute = 80;

type Wish = {
  readonly text: string;
  readonly voice: VoiceWish;
  readonly wordsPerMinute: number;
  /** 0 to 99. */
  readonly pitch: number;
  readonly format: SoundFormat;
};

type Programs = {
  readonly speaker: string;
  readonly voices: VoiceLists;
  readonly converters: readonly Converter[];
  readonly searchPath: string;
};

/** Speaks a text with espeak-ng: WAV always, MP3, OGG and FLAC where ffmpeg or sox is installed. */
export function speechEngine({ program, searchPath }: SpeechSettings): Engine {
  const places = new Places(2, 64);
  const voices = new VoiceLists();
  const stopping = new AbortController();
  const speakerPath = () => findProgram(program ?? "espeak-ng", searchPath);

  const missing = () => {
    if (speakerPath() !== undefined) return undefined;
    return program === undefined
      ? "Install espeak-ng (Debian: apt-get install espeak-ng)."
      : "SKILLBOSS_ESPEAK names no program: set it to the path of espeak-ng, or install that and leave it out.";
  };

  return {
    name: "speech",
    missing,
    async run(context) {
      const speaker = speakerPath();
      if (speaker === undefined) throw new Problem("provider_not_configured", { message: missing() ?? "" });
      const found = converters.flatMap((name) => {
        const path = findProgram(name, searchPath);
        return path === undefined ? [] : [{ name, path }];
      });
      const wish = readWish(context, found);
      const signal = AbortSignal.any([context.signal, stopping.signal]);
      const programs = { speaker, voices, converters: found, searchPath };
      return places.in(signal, () => speak(wish, signal, programs));
    },
    stop() {
      stopping.abort(new Problem("shutting_down"));
      return Promise.resolve();
    },
  };
}

function readWish(context: EngineContext, found: readonly Converter[]): Wish {
  const inputs = new InputValues(context.inputs);
  const text = inputs.text("text", maxChars) ?? "";
  if (!/[^\s\p{C}]/u.test(text)) throw inputs.refusal("text", "Send the text to speak.");
  const format = inputs.choice("format", soundFormats) ?? "wav";
  if (format !== "wav" && found.length === 0)
    throw inputs.refusal(
      "format",
      "This server writes wav only; for other formats its operator installs ffmpeg or sox.",
    );
  const speed = inputs.number("speed", { min: 0.25, max: 4 }) ?? 1;
  return {
    text,
    voice: voiceWish(inputs),
    wordsPerMinute: Math.max(Math.round(wordsPerMinute * speed), slowestWordsPerMinute),
    pitch: Math.round(inputs.number("pitch", { min: 0, max: 99 }) ?? 50),
    format,
  };
}

async function speak(wish: Wish, signal: AbortSignal, programs: Programs): Promise<EngineResult> {
  const limits = { signal, timeoutMs: workMs, maxOutputBytes: maxWavBytes, searchPath: programs.searchPath };
  try {
    const wav = await speakWav(wish, programs, limits);
    const bytes =
      wish.format === "wav" || wav === undefined
        ? wav
        : await convertSound(wish.format, programs.converters, { ...limits, input: wav });
    return resultOf(wish, bytes, wav);
  } catch (error) {
    throw error instanceof ProgramFailure ? failure(error) : error;
  }
}

type Limits = {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly searchPath: string;
};

/** The text goes in by a pipe, so that no argument is as long as it or looks like an option. Undefined: no sound at all. */
async function speakWav(
  wish: Wish,
  { speaker, voices }: Programs,
  limits: Limits,
): Promise<Buffer | undefined> {
  const { wordsPerMinute: words, pitch } = wish;
  const voice = await voiceFor(wish, voices, { ...limits, program: speaker });
  const args = ["--stdin", "--stdout", "-b", "1", "-v", voice, "-s", String(words), "-p", String(pitch)];
  // Double brackets would begin a list of sounds.
  const input = Buffer.from(wish.text.toWellFormed().replaceAll("\0", " ").replaceAll("[[", "[ ["));
  const end = await runProgram({ ...limits, program: speaker, args, input });
  if (end.exitCode === 0) return withTrueSizes(end.output);
  if (/voice does not exist/.test(end.complaint))
    throw new Problem("invalid_request", {
      message:
        "There is no such voice here. Voices are languages such as en, en-us or de, and variants such as en+f3.",
      param: "voice",
    });
  throw new Problem("run_failed", { message: "The text could not be spoken.", cause: end.complaint });
}

/** The program breaks down over some names that it does not know, so it is not told one that it does not list. */
async function voiceFor(
  { voice }: Wish,
  voices: VoiceLists,
  asking: Limits & { readonly program: string },
): Promise<string> {
  const isNamed = voice.voice !== undefined || voice.language !== undefined;
  return spokenVoice(voice, isNamed ? await voices.of(asking) : undefined);
}

function resultOf(wish: Wish, bytes: Buffer | undefined, wav: Buffer | undefined): EngineResult {
  const usage = { chars: charsIn(wish.text) };
  const exact = wav === undefined ? 0 : (wavSeconds(wav) ?? 0);
  if (bytes === undefined) return { output: { audio: null }, files: [], usage, isEmpty: true };
  const contentType = soundTypes[wish.format];
  const seconds = Math.round(exact * 1000) / 1000;
  return {
    output: { audio: { url: { $file: 0 }, content_type: contentType, duration_seconds: seconds } },
    files: [{ bytes, contentType, name: `speech.${wish.format}` }],
    usage,
  };
}

function failure(error: ProgramFailure): Problem {
  switch (error.kind) {
    case "timeout":
      return new Problem("upstream_timeout", { message: "Speaking the text took too long.", cause: error });
    case "too_large":
      return new Problem("invalid_request", {
        message: "The speech would be too long. Shorten the text, or raise the speed.",
        param: "text",
        cause: error,
      });
    case "not_started":
      return new Problem("service_unavailable", {
        message: "This server cannot speak right now.",
        cause: error,
      });
  }
}
