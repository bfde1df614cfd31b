import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { extensionOf } from "./media-file.ts";
import type { MediaFile, PictureFile, SoundFile } from "./media-file.ts";

/** What a URL carries: the recipe of the file and, if it expires, when (milliseconds since 1970). */
export function tokenOf(file: MediaFile, expiresAt?: number): string {
  const short = file.kind === "pdf" ? { ...file, title: file.title.slice(0, 80) } : file;
  const recipe = "seed" in short ? { ...short, seed: short.seed.slice(0, 16) } : short;
  const text = JSON.stringify(expiresAt === undefined ? recipe : { ...recipe, expiresAt });
  return `${Buffer.from(text).toString("base64url")}.${extensionOf(file)}`;
}

export type FoundFile = { readonly file: MediaFile; readonly expiresAt: number | undefined };

/** Undefined for what is no token. Anybody can write one; that is why all sizes are bounded where files are made. */
export function fileIn(token: string): FoundFile | undefined {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(token.replace(/\.\w+$/, ""), "base64url").toString());
  } catch {
    return undefined;
  }
  if (!isObject(read)) return undefined;
  const { expiresAt } = read;
  const file = fileFrom(read);
  return file && { file, expiresAt: typeof expiresAt === "number" ? expiresAt : undefined };
}

const pictures: readonly string[] = ["png", "jpeg", "webp"] satisfies readonly PictureFile["kind"][];
const sounds: readonly string[] = [
  "mp3",
  "wav",
  "pcm",
  "flac",
  "opus",
  "aac",
] satisfies readonly SoundFile["kind"][];
const highestRate = 48_000;

function fileFrom(read: JsonObject): MediaFile | undefined {
  const kind = stringOr(read["kind"], "");
  const seed = stringOr(read["seed"], "0");
  const size = { width: numberOf(read["width"]), height: numberOf(read["height"]) };
  if (isPicture(kind)) return { kind, seed, ...size };
  if (kind === "svg") return { kind, seed, ...size };
  if (isSound(kind)) return { kind, seed, ms: numberOf(read["ms"]), ...formOf(read) };
  if (kind === "mp4") return { kind, seed, ms: numberOf(read["ms"]), ...size };
  if (kind === "pdf") return { kind, title: stringOr(read["title"], ""), pages: numberOf(read["pages"]) };
  return undefined;
}

function formOf(read: JsonObject): Pick<SoundFile, "rate" | "kbps"> {
  const rate = Math.min(numberOf(read["rate"]), highestRate);
  const kbps = numberOf(read["kbps"]);
  return { ...(rate > 0 ? { rate } : {}), ...(kbps > 0 ? { kbps } : {}) };
}

function isPicture(kind: string): kind is PictureFile["kind"] {
  return pictures.includes(kind);
}

function isSound(kind: string): kind is SoundFile["kind"] {
  return sounds.includes(kind);
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
