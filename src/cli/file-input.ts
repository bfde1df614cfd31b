import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { WrongUse } from "./exit.ts";

/** What providers tell files apart by; of all others the content speaks. */
const typesByEnding: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  avif: "image/avif",
  svg: "image/svg+xml",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  ogg: "audio/ogg",
  flac: "audio/flac",
  m4a: "audio/mp4",
  mp4: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  html: "text/html",
  csv: "text/csv",
  txt: "text/plain",
  md: "text/markdown",
};

/** Inputs that say by their name that they are base64; all others that take a file take its address, or a data URL. */
const isBare = /(?:^|_)(?:data|base64|b64)$/;

/** An input that is a file's content, in the form that inputs of this name have. */
export async function fileInput(name: string, path: string): Promise<Record<string, string>> {
  const base64 = (await bytesOf(path)).toString("base64");
  if (name === "audio_data") return { [name]: base64, filename: basename(path) };
  if (isBare.test(name)) return { [name]: base64 };
  const type = typesByEnding[extname(path).slice(1).toLowerCase()] ?? "application/octet-stream";
  return { [name]: `data:${type};base64,${base64}` };
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WrongUse(`The file of --file cannot be read: ${why}. Nothing was sent.`, { cause });
  }
}
