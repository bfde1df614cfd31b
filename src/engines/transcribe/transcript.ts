import { isJsonObject, parseJson } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

export type Segment = {
  /** Seconds from the beginning. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
};

export type Transcript = {
  readonly text: string;
  /** As whoever listened calls it: `en`, or `english`. */
  readonly language: string | undefined;
  readonly segments: readonly Segment[] | undefined;
  /** How long the sound was that was listened to, where that is told. */
  readonly heardSeconds: number | undefined;
};

/** What a whisper server answers: `{text}`, or with language, duration and segments. Undefined: no such answer. */
export function readServerAnswer(json: string): Transcript | undefined {
  const answer = readObject(json);
  const text = answer?.["text"];
  if (answer === undefined || typeof text !== "string") return undefined;
  const { language, duration } = answer;
  return {
    text: text.trim(),
    language: typeof language === "string" && language !== "" ? language : undefined,
    segments: readSegments(answer["segments"], ({ start, end }) => [start, end]),
    heardSeconds: numberOr(duration),
  };
}

/** The file that whisper.cpp's program writes; its times are milliseconds. */
export function readProgramOutput(json: string): Transcript | undefined {
  const output = readObject(json);
  const segments = readSegments(output?.["transcription"], ({ offsets }) =>
    isJsonObject(offsets) ? [milliseconds(offsets["from"]), milliseconds(offsets["to"])] : [],
  );
  if (output === undefined || segments === undefined) return undefined;
  const result = isJsonObject(output["result"]) ? output["result"] : {};
  const text = segments.map((segment) => segment.text).join(" ");
  const { language } = result;
  return {
    text,
    language: typeof language === "string" ? language : undefined,
    segments,
    heardSeconds: undefined,
  };
}

function readObject(json: string): JsonObject | undefined {
  try {
    const value = parseJson(json);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Segments that say nothing, or do not say when, are left out. */
function readSegments(
  value: unknown,
  timesOf: (segment: JsonObject) => readonly unknown[],
): readonly Segment[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter(isJsonObject).flatMap((segment) => {
    const [start, end] = timesOf(segment).map(numberOr);
    const text = typeof segment["text"] === "string" ? segment["text"].trim() : "";
    return start === undefined || end === undefined || text === "" ? [] : [{ start, end, text }];
  });
}

function numberOr(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function milliseconds(value: unknown): number | undefined {
  return typeof value === "number" ? value / 1000 : undefined;
}
