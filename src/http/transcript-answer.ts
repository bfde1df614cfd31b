import type { ServerResponse } from "node:http";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { DoorHeaders } from "./door.ts";
import type { Made } from "./media-run.ts";
import { sendAnswer } from "./render.ts";
import { segmentsIn, subtitlesOf, wordsIn } from "./spoken-segments.ts";
import type { Segment } from "./spoken-segments.ts";

export const transcriptFormats = ["json", "text", "verbose_json", "srt", "vtt"] as const;
export type TranscriptFormat = (typeof transcriptFormats)[number];

export type TranscriptWish = {
  readonly format: TranscriptFormat;
  readonly task: "transcribe" | "translate";
  readonly wantsWords: boolean;
  readonly wantsSegments: boolean;
  readonly isStreamed: boolean;
};

/** Whether the format tells times, which not every model knows. */
export function hasTimes(format: TranscriptFormat): boolean {
  return format !== "json" && format !== "text";
}

type Showing = {
  readonly wish: TranscriptWish;
  readonly requestId: string;
  readonly headers: DoorHeaders;
};

/** OpenAI's answer with what was said, in the form asked for. */
export function showTranscript(made: Made, response: ServerResponse, showing: Showing): void {
  const { wish, requestId, headers } = showing;
  if (wish.isStreamed) return sendEvents(made, response, showing);
  switch (wish.format) {
    case "json":
      return sendAnswer(response, requestId, { status: 200, body: plainBody(made), headers });
    case "verbose_json":
      return sendAnswer(response, requestId, { status: 200, body: verboseBody(made, wish), headers });
    case "text":
      return sendText(`${textIn(made)}\n`, response, showing);
    case "srt":
    case "vtt":
      return sendText(subtitlesOf(shownSegments(made), wish.format), response, showing);
  }
}

function textIn({ output }: Made): string {
  return typeof output["text"] === "string" ? output["text"] : "";
}

/** A text without times is shown as long as the recording lasts. */
function shownSegments(made: Made): readonly Segment[] {
  const segments = segmentsIn(made.output);
  const text = textIn(made).trim();
  if (segments.length > 0 || text === "") return segments;
  const { duration_seconds: duration } = made.output;
  return [{ start: 0, end: typeof duration === "number" ? duration : 0, text }];
}

function plainBody(made: Made): JsonObject {
  return { text: textIn(made), ...usageIn(made), id: made.row.id };
}

function usageIn({ row }: Made): JsonObject {
  const seconds = isJsonObject(row.usage) ? row.usage["audio_seconds"] : undefined;
  return typeof seconds === "number" ? { usage: { type: "duration", seconds } } : {};
}

function verboseBody(made: Made, { task, wantsWords, wantsSegments }: TranscriptWish): JsonObject {
  const { output } = made;
  const [segments, words] = [segmentsIn(output), wordsIn(output)];
  const last = words.at(-1)?.end ?? segments.at(-1)?.end ?? 0;
  return {
    task,
    language: typeof output["language"] === "string" ? output["language"] : "unknown",
    duration: typeof output["duration_seconds"] === "number" ? output["duration_seconds"] : last,
    text: textIn(made),
    ...(wantsWords ? { words: words.map(({ start, end, text }) => ({ word: text, start, end })) } : {}),
    ...(wantsSegments ? { segments: segments.map((segment, id) => ({ id, ...segment })) } : {}),
    ...usageIn(made),
    id: made.row.id,
  };
}

function sendText(text: string, response: ServerResponse, { requestId, headers }: Showing): void {
  const body = Buffer.from(text);
  response.writeHead(200, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": body.length,
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...headers,
  });
  response.end(body);
}

/** The text is there when it is whole: one piece of it, and its end. */
function sendEvents(made: Made, response: ServerResponse, { requestId, headers }: Showing): void {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-request-id": requestId,
    ...headers,
  });
  const text = textIn(made);
  const events = [
    { type: "transcript.text.delta", delta: text },
    { type: "transcript.text.done", text, ...usageIn(made) },
  ];
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}
