const mostCharacters = 200;

const extensions: ReadonlyMap<string, string> = new Map([
  ["image/png", ".png"],
  ["image/jpeg", ".jpg"],
  ["image/webp", ".webp"],
  ["image/gif", ".gif"],
  ["image/avif", ".avif"],
  ["image/heic", ".heic"],
  ["image/svg+xml", ".svg"],
  ["audio/mpeg", ".mp3"],
  ["audio/wav", ".wav"],
  ["audio/ogg", ".ogg"],
  ["audio/flac", ".flac"],
  ["audio/mp4", ".m4a"],
  ["audio/aac", ".aac"],
  ["video/mp4", ".mp4"],
  ["video/webm", ".webm"],
  ["video/quicktime", ".mov"],
  ["video/x-matroska", ".mkv"],
  ["application/pdf", ".pdf"],
  ["application/zip", ".zip"],
  ["application/json", ".json"],
  ["application/jsonl", ".jsonl"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"],
  ["application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"],
  ["text/plain", ".txt"],
  ["text/markdown", ".md"],
  ["text/csv", ".csv"],
  ["text/tab-separated-values", ".tsv"],
  ["text/vtt", ".vtt"],
]);

/** What a file without a name is called. */
export function nameFor(id: string, contentType: string): string {
  return `${id}${extensions.get(contentType) ?? ".bin"}`;
}

/**
 * A name as it is kept: the last part of a path, without control characters and without those that turn the direction of
 * writing, by which `gnp.exe` looks like `exe.png`. Undefined when nothing is left of it.
 */
export function keptName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const clean = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "")
    .split(/[/\\]/)
    .findLast((part) => part.trim() !== "")
    ?.trim();
  if (clean === undefined || /^\.+$/.test(clean)) return undefined;
  return shortened(clean);
}

/** Keeps the extension, and no half of a character. */
function shortened(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= mostCharacters) return name;
  const extension = Array.from(/\.\w{1,10}$/.exec(name)?.[0] ?? "");
  const stem = characters.slice(0, mostCharacters - extension.length).join("");
  return stem.trimEnd() + extension.join("");
}
