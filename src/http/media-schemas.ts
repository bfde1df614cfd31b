import { z } from "zod";
import { count, runResult } from "./answer-schemas.ts";

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

export const embeddings = z.strictObject({
  object: z.literal("list"),
  data: z.array(
    z.strictObject({
      object: z.literal("embedding"),
      index: count,
      embedding: z.union([z.array(z.number()), text]).describe("As `encoding_format` says."),
    }),
  ),
  model: text,
  usage: z.strictObject({ prompt_tokens: count, total_tokens: count }),
  id: runId,
});

const picture = {
  url: text.describe("Needs no key, and expires."),
  b64_json: text.optional(),
  revised_prompt: text.optional(),
};

/** As far as the model told it, or was told. */
const pictureFacts = {
  size: text.optional(),
  quality: text.optional(),
  background: text.optional(),
  output_format: text.optional(),
  usage: z
    .strictObject({ input_tokens: count, output_tokens: count, total_tokens: count })
    .optional()
    .describe("Of models that are charged by tokens."),
};

export const pictures = z.union([
  z.strictObject({
    created: count.describe("Seconds since 1970."),
    data: z.array(z.strictObject(picture)).min(1),
    ...pictureFacts,
    id: runId,
  }),
  paidOther,
]);

/** One for each picture, when it is whole. */
export const pictureEvent = z.strictObject({
  type: z.enum(["image_generation.completed", "image_edit.completed"]),
  ...picture,
  ...pictureFacts,
  created_at: count,
});
