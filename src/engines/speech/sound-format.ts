import { Problem } from "../../core/problems.ts";
import { runProgram } from "../run-program.ts";
import type { ProgramRun } from "../run-program.ts";

export const soundFormats = ["wav", "mp3", "ogg", "flac"] as const;

export type SoundFormat = (typeof soundFormats)[number];

export const soundTypes: Readonly<Record<SoundFormat, string>> = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  flac: "audio/flac",
};

/** Programs that turn WAV into the other formats, by what they are called; the first that is there is asked first. */
export const converters = ["ffmpeg", "sox"] as const;

export type Converter = { readonly name: (typeof converters)[number]; readonly path: string };

const encoders: Readonly<Record<Exclude<SoundFormat, "wav">, readonly string[]>> = {
  mp3: ["-c:a", "libmp3lame", "-b:a", "64k"],
  ogg: ["-c:a", "libvorbis", "-q:a", "3"],
  flac: ["-c:a", "flac"],
};

/** Not every build of these programs knows every format: if one cannot, the next is tried. */
export async function convertSound(
  format: Exclude<SoundFormat, "wav">,
  programs: readonly Converter[],
  run: Omit<ProgramRun, "program" | "args">,
): Promise<Buffer> {
  let complaint = "no program";
  for (const { name, path } of programs) {
    const end = await runProgram({ ...run, program: path, args: argsOf(name, format) });
    if (end.exitCode === 0 && end.output.length > 0) return end.output;
    complaint = `${name}: ${end.complaint}`;
  }
  throw new Problem("service_unavailable", {
    message: `This server cannot write ${format} right now. Ask for wav.`,
    param: "format",
    cause: complaint,
  });
}

/** WAV comes in by a pipe and the other format goes out by one: neither program is told the name of a file. */
function argsOf(name: Converter["name"], format: Exclude<SoundFormat, "wav">): readonly string[] {
  if (name === "sox") return ["-V1", "-t", "wav", "-", "-t", format, "-"];
  const input = ["-protocol_whitelist", "pipe", "-f", "wav", "-i", "pipe:0"];
  return [
    "-hide_banner",
    "-v",
    "error",
    ...input,
    "-map_metadata",
    "-1",
    ...encoders[format],
    "-f",
    format,
    "pipe:1",
  ];
}
