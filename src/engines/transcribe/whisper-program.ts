import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../../core/problems.ts";
import { runProgram } from "../run-program.ts";
import type { AudioFormat } from "../../core/sound/audio-duration.ts";
import { fileNameOf } from "./listen.ts";
import type { Recording } from "./listen.ts";
import { readProgramOutput } from "./transcript.ts";
import type { Transcript } from "./transcript.ts";

export type WhisperProgram = {
  readonly program: string;
  readonly model: string;
  /** ffmpeg: turns every format into the WAV that whisper.cpp hears best. Undefined where it is not installed. */
  readonly converter: string | undefined;
  readonly searchPath: string;
  readonly timeoutMs: number;
};

const maxOutputBytes = 20_000_000;
const wavHeadBytes = 44;
/** 16 kHz, one channel, 16 bits. */
const wavBytesPerSecond = 32_000;

/** What the program reads by itself. */
const readByItself: ReadonlySet<AudioFormat> = new Set(["wav", "mp3", "flac", "ogg"]);

/** Names of readers in ffmpeg. It is told which one to use, so that a file cannot choose one that follows addresses. */
const demuxers: Readonly<Record<AudioFormat, string>> = {
  wav: "wav",
  mp3: "mp3",
  flac: "flac",
  ogg: "ogg",
  mp4: "mov",
  webm: "matroska",
};

/** Runs whisper.cpp in a folder of its own, which is gone afterwards. */
export async function askProgram(whisper: WhisperProgram, recording: Recording): Promise<Transcript> {
  if (whisper.converter === undefined && !readByItself.has(recording.format))
    throw new Problem("invalid_request", {
      message:
        "This server transcribes WAV, MP3, FLAC and OGG; for other formats its operator installs ffmpeg.",
    });
  const folder = await mkdtemp(join(tmpdir(), "skillboss-transcribe-"));
  try {
    const source = join(folder, fileNameOf(recording.format));
    await writeFile(source, recording.bytes, { mode: 0o600 });
    const heard = await convert(whisper, recording, source);
    const transcript = await listen(whisper, recording, heard.path);
    return { ...transcript, heardSeconds: heard.seconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Heard = { readonly path: string; readonly seconds: number | undefined };

async function convert(
  whisper: WhisperProgram,
  { format, signal }: Recording,
  source: string,
): Promise<Heard> {
  const { converter, searchPath, timeoutMs } = whisper;
  if (converter === undefined) return { path: source, seconds: undefined };
  const path = `${source}.16k.wav`;
  const input = ["-protocol_whitelist", "file", "-f", demuxers[format], "-i", source, "-map", "0:a:0"];
  const sound = [
    "-ar",
    "16000",
    "-ac",
    "1",
    "-c:a",
    "pcm_s16le",
    "-map_metadata",
    "-1",
    "-fflags",
    "+bitexact",
  ];
  const args = ["-hide_banner", "-nostdin", "-v", "error", ...input, ...sound, "-f", "wav", path];
  const end = await runProgram({ program: converter, args, signal, timeoutMs, maxOutputBytes, searchPath });
  if (end.exitCode !== 0)
    throw new Problem("invalid_request", { message: "The recording cannot be read.", cause: end.complaint });
  const { size } = await stat(path);
  return { path, seconds: Math.max(size - wavHeadBytes, 0) / wavBytesPerSecond };
}

async function listen(whisper: WhisperProgram, recording: Recording, path: string): Promise<Transcript> {
  const { program, model, searchPath, timeoutMs } = whisper;
  const { language = "auto", prompt, signal } = recording;
  const output = `${path}.transcript`;
  const hint = prompt === undefined ? [] : ["--prompt", prompt];
  const how = ["--model", model, "--file", path, "--language", language, ...hint];
  const args = [...how, "--output-json", "--output-file", output, "--no-prints"];
  const end = await runProgram({ program, args, signal, timeoutMs, maxOutputBytes, searchPath });
  const transcript = end.exitCode === 0 ? await readOutput(`${output}.json`) : undefined;
  if (transcript !== undefined) return transcript;
  throw new Problem("run_failed", {
    message: "The recording could not be transcribed.",
    cause: end.complaint,
  });
}

async function readOutput(path: string): Promise<Transcript | undefined> {
  try {
    if ((await stat(path)).size > maxOutputBytes) return undefined;
    return readProgramOutput(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
