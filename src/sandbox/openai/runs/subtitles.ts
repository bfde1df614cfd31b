import type { Transcript } from "../../speech/transcript.ts";

export type Segment = { readonly start: number; readonly end: number; readonly text: string };

const wordsPerSegment = 12;

export function segmentsOf({ words }: Transcript): readonly Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; at < words.length; at += wordsPerSegment) {
    const spoken = words.slice(at, at + wordsPerSegment);
    segments.push({
      start: spoken[0]?.start ?? 0,
      end: spoken.at(-1)?.end ?? 0,
      text: ` ${spoken.map(({ text }) => text).join(" ")}`,
    });
  }
  return segments;
}

/** As SubRip or WebVTT. */
export function subtitlesOf(transcript: Transcript, kind: "srt" | "vtt"): string {
  const mark = kind === "srt" ? "," : ".";
  const lines = segmentsOf(transcript).map(({ start, end, text }, at) => {
    const number = kind === "srt" ? `${at + 1}\n` : "";
    return `${number}${timeOf(start, mark)} --> ${timeOf(end, mark)}\n${text.trim()}\n`;
  });
  return `${kind === "vtt" ? "WEBVTT\n\n" : ""}${lines.join("\n")}\n`;
}

function timeOf(seconds: number, mark: string): string {
  const ms = Math.round(seconds * 1_000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const rest = String(ms % 1_000).padStart(3, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}${mark}${rest}`;
}
