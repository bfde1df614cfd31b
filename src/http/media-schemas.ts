import { z } from "zod";
import { runResult } from "./answer-schemas.ts";

/** What the doors for OpenAI's clients answer, for the OpenAPI document. */

const text = z.string();
const seconds = z.number().min(0);
const runId = text.describe("The run's: ask for it at GET /v1/run/{id}.");

/** Whatever else was paid for, where the file is missing that the door was to show. */
export const paidOther = runResult.describe("A run that made something else than was asked for.");

const heard = z.looseObject({ type: z.literal("duration"), seconds });

/** `json` is the text alone; `verbose_json` has all of it. */
export const transcript = z.looseObject({
  text,
  usage: heard.optional(),
  id: runId,
  task: z.enum(["transcribe", "translate"]).optional(),
  language: text.optional(),
  duration: seconds.optional(),
  words: z.array(z.looseObject({ word: text, start: seconds, end: seconds })).optional(),
  segments: z.array(z.looseObject({ id: z.int().min(0), start: seconds, end: seconds, text })).optional(),
});

export const transcriptEvent = z.union([
  z.looseObject({ type: z.literal("transcript.text.delta"), delta: text }),
  z.looseObject({ type: z.literal("transcript.text.done"), text, usage: heard.optional() }),
]);
