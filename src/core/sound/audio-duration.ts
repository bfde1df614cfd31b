import { flacSeconds } from "./flac-duration.ts";
import { endOfId3 } from "./id3-tag.ts";
import { mp3Seconds } from "./mp3-duration.ts";
import { mp4Seconds } from "./mp4-duration.ts";
import { oggSeconds } from "./ogg-duration.ts";
import { wavSeconds } from "./wav-duration.ts";
import { webmSeconds } from "./webm-duration.ts";

export type AudioFormat = "wav" | "mp3" | "flac" | "ogg" | "mp4" | "webm";

export type AudioLength = {
  readonly format: AudioFormat;
  /** To the millisecond; above zero. */
  readonly seconds: number;
};

/** Longer than any recording: what a damaged or forged header says beyond it is not believed. */
const longestSeconds = 7 * 24 * 3600;

/**
 * How long a recording plays, from its bytes alone: undefined for what is no WAV, MP3, FLAC, OGG (Opus, Vorbis, FLAC),
 * MP4/M4A or WebM, or does not tell. Never throws and takes time in proportion to the bytes, whatever they are.
 * A length that a header declares is compared with the packets where that is possible, since it is what people pay for.
 */
export function audioLength(bytes: Buffer): AudioLength | undefined {
  const format = audioFormat(bytes);
  if (format === undefined) return undefined;
  const exact = readers[format](bytes);
  if (exact === undefined || !Number.isFinite(exact) || exact > longestSeconds) return undefined;
  const seconds = Math.round(exact * 1000) / 1000;
  return seconds > 0 ? { format, seconds } : undefined;
}

/** By the first bytes, not by a name or a content type: those may say anything. */
export function audioFormat(bytes: Buffer): AudioFormat | undefined {
  const start = bytes.toString("latin1", 0, 12);
  if (/^(?:RIFF|RF64|BW64)/.test(start) && start.slice(8) === "WAVE") return "wav";
  if (start.startsWith("OggS")) return "ogg";
  if (start.startsWith("fLaC")) return "flac";
  if (start.slice(4, 8) === "ftyp") return "mp4";
  if (start.startsWith("\x1a\x45\xdf\xa3")) return "webm";
  if (start.startsWith("ID3")) return startsWithFlacAfterTag(bytes) ? "flac" : "mp3";
  return mp3Seconds(bytes.subarray(0, 16_384)) === undefined ? undefined : "mp3";
}

/** Some taggers put an ID3 tag before a FLAC stream. */
function startsWithFlacAfterTag(bytes: Buffer): boolean {
  return bytes.toString("latin1", endOfId3(bytes), endOfId3(bytes) + 4) === "fLaC";
}

const readers: Readonly<Record<AudioFormat, (bytes: Buffer) => number | undefined>> = {
  wav: wavSeconds,
  mp3: mp3Seconds,
  flac: (bytes) => flacSeconds(bytes.subarray(endOfId3(bytes))),
  ogg: oggSeconds,
  mp4: mp4Seconds,
  webm: webmSeconds,
};
