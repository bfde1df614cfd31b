import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";

/** A piece of a recording; times in seconds from its beginning. */
export type Segment = { readonly start: number; readonly end: number; readonly text: string };

const mostCharacters = 84;
const longestPauseSeconds = 1;

/** What was said in pieces, as the model tells them, else joined from its words; none when it tells no times. */
export function segmentsIn({ segments, words }: JsonObject): readonly Segment[] {
  const told = timedIn(segments);
  return told.length > 0 ? told : joined(timedIn(words));
}

/** Words in time, whatever a model calls their text; spaces and sounds between them are none. */
export function wordsIn({ words }: JsonObject): readonly Segment[] {
  return timedIn(words);
}

function timedIn(list: unknown): readonly Segment[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isJsonObject).flatMap((item) => {
    const { start, end, type } = item;
    const text = item["word"] ?? item["text"];
    if (typeof start !== "number" || typeof end !== "number" || typeof text !== "string") return [];
    const isSaid = text.trim() !== "" && (type === undefined || type === "word");
    return isSaid ? [{ start, end, text: text.trim() }] : [];
  });
}

/** A piece ends with a sentence, a pause, or when it is too long to be read at once. */
function joined(words: readonly Segment[]): readonly Segment[] {
  const pieces: Segment[] = [];
  let open: Segment | undefined;
  for (const word of words) {
    const fits =
      open !== undefined &&
      word.start - open.end <= longestPauseSeconds &&
      open.text.length + word.text.length < mostCharacters;
    if (open !== undefined && !fits) pieces.push(open);
    open =
      open !== undefined && fits
        ? { start: open.start, end: word.end, text: `${open.text} ${word.text}` }
        : word;
    if (/[.!?。！？]$/.test(word.text)) {
      pieces.push(open);
      open = undefined;
    }
  }
  return open === undefined ? pieces : [...pieces, open];
}

/** As SubRip or WebVTT. */
export function subtitlesOf(segments: readonly Segment[], kind: "srt" | "vtt"): string {
  const blocks = segments.map(({ start, end, text }, at) => {
    const number = kind === "srt" ? `${at + 1}\n` : "";
    const line = text.replaceAll(/\s*\r?\n\s*/g, " ").replaceAll("-->", "→");
    return `${number}${timeOf(start, kind)} --> ${timeOf(end, kind)}\n${line}\n`;
  });
  return `${kind === "vtt" ? "WEBVTT\n\n" : ""}${blocks.join("\n")}`;
}

function timeOf(seconds: number, kind: "srt" | "vtt"): string {
  const ms = Math.max(0, Math.round(seconds * 1000));
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const clock = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`;
  return `${clock}${kind === "srt" ? "," : "."}${String(ms % 1000).padStart(3, "0")}`;
}
