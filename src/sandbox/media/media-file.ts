import { aacOf } from "./aac.ts";
import { flacOf } from "./flac.ts";
import { mp3Of, usualMp3 } from "./mp3.ts";
import { mp4Of } from "./mp4.ts";
import { opusOf } from "./opus.ts";
import { pdfOf } from "./pdf.ts";
import { paint } from "./picture.ts";
import { drawingOf } from "./drawing.ts";
import { jpegOf } from "./jpeg.ts";
import { pngOf } from "./png.ts";
import { longestSoundMs, pcmOf, wavOf } from "./wav.ts";
import { webpOf } from "./webp.ts";

/** A file that is made again whenever it is asked for. `seed` is a fingerprint, or begins like one. */
export type MediaFile = PictureFile | DrawingFile | SoundFile | VideoFile | DocumentFile;

export type PictureFile = {
  readonly kind: "png" | "jpeg" | "webp";
  readonly seed: string;
  readonly width: number;
  readonly height: number;
};
export type DrawingFile = {
  readonly kind: "svg";
  readonly seed: string;
  readonly width: number;
  readonly height: number;
};
export type SoundFile = {
  /** `pcm` is 16 bits in one channel without a header. */
  readonly kind: "mp3" | "wav" | "pcm" | "flac" | "opus" | "aac";
  readonly seed: string;
  readonly ms: number;
  /** Samples per second, for MP3, WAV and PCM; 44,100 unless told. */
  readonly rate?: number;
  /** For MP3; 128 unless told. */
  readonly kbps?: number;
};
export type VideoFile = {
  readonly kind: "mp4";
  readonly seed: string;
  readonly ms: number;
  readonly width: number;
  readonly height: number;
};
export type DocumentFile = { readonly kind: "pdf"; readonly title: string; readonly pages: number };

const contentTypes: Readonly<Record<MediaFile["kind"], string>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
  svg: "image/svg+xml",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  pcm: "audio/pcm",
  flac: "audio/flac",
  opus: "audio/ogg",
  aac: "audio/aac",
  mp4: "video/mp4",
  pdf: "application/pdf",
};
const extensions: Readonly<Partial<Record<MediaFile["kind"], string>>> = { jpeg: "jpg" };
const mostPages = 200;

export function contentTypeOf({ kind }: MediaFile): string {
  return contentTypes[kind];
}

export function extensionOf({ kind }: MediaFile): string {
  return extensions[kind] ?? kind;
}

export async function bytesOf(file: MediaFile): Promise<Buffer> {
  if (file.kind === "mp4") return mp4Of(file);
  if (file.kind === "pdf") return pdfOf(pagesOf(file));
  return "ms" in file ? soundOf(file) : await pictureOf(file);
}

async function pictureOf(file: PictureFile | DrawingFile): Promise<Buffer> {
  if (file.kind === "svg") return drawingOf(file);
  const painted = paint(file.seed, file.width, file.height);
  switch (file.kind) {
    case "png":
      return await pngOf(painted);
    case "jpeg":
      return jpegOf(painted);
    case "webp":
      return webpOf(painted);
  }
}

function soundOf(file: SoundFile): Buffer {
  const ms = Math.min(longestSoundMs, Math.max(1, file.ms));
  const rate = file.rate ?? usualMp3.rate;
  switch (file.kind) {
    case "mp3":
      return mp3Of(ms, { rate, kbps: file.kbps ?? usualMp3.kbps });
    case "wav":
      return wavOf({ ms, rate, seed: file.seed });
    case "pcm":
      return pcmOf({ ms, rate, seed: file.seed });
    case "flac":
      return flacOf(ms);
    case "opus":
      return opusOf(ms);
    case "aac":
      return aacOf(ms);
  }
}

function pagesOf({ title, pages }: DocumentFile): readonly string[] {
  const count = Math.min(mostPages, Math.max(1, pages));
  return Array.from({ length: count }, (_, at) => `${title} - page ${at + 1} of ${count}`);
}
