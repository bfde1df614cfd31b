import { z } from "zod";
import type { OtherAnswer } from "./door.ts";

/** What the main doors answer, for the OpenAPI document. The tests hold real answers against these forms. */

const text = z.string();
export const count = z.int().min(0);
/** A list in OpenAI's form. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ object: z.literal("list"), data: z.array(item) });
}

/** Credits with six decimals. */
export const amount = text.regex(/^-?\d+\.\d{6}$/).describe("A decimal string.");
const usd = text.describe("USD as a decimal string.");

export const balanceForms = {
  _balance_warning: z.boolean().describe("True below 10 credits."),
  _remaining_credits: z.number().describe("What can be spent after this call."),
  _limited_by: z
    .literal("insufficient_balance")
    .optional()
    .describe("The balance paid for fewer tokens than were asked for: see x-skillboss-max-tokens."),
};

const usage = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z
    .looseObject({ cached_tokens: count.optional(), cache_write_tokens: count.optional() })
    .optional(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: count.optional() }).optional(),
});

const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter", "function_call", "error"]);

const toolCall = z.looseObject({
  id: text,
  type: z.literal("function"),
  function: z.looseObject({ name: text, arguments: text }),
});

const answerMessage = z.looseObject({
  role: z.literal("assistant"),
  content: text.nullable(),
  refusal: text.nullish(),
  reasoning_content: text.optional().describe("Thinking, where the model shows it."),
  reasoning_details: z
    .array(z.record(text, z.unknown()))
    .optional()
    .describe("Thinking as it has to be sent back with tool results."),
  tool_calls: z.array(toolCall).optional(),
});

export const chatCompletion = z.looseObject({
  id: text,
  object: z.literal("chat.completion"),
  created: count.describe("Seconds since 1970."),
  model: text.describe("As asked for; x-skillboss-model says who served it."),
  choices: z.array(
    z.looseObject({
      index: count,
      message: answerMessage,
      finish_reason: finishReason,
      logprobs: z.unknown().optional(),
    }),
  ),
  usage,
  ...balanceForms,
});

const delta = z.looseObject({
  role: z.literal("assistant").optional(),
  content: text.nullish(),
  refusal: text.nullish(),
  reasoning_content: text.optional(),
  tool_calls: z
    .array(
      z.looseObject({
        index: count,
        id: text.optional(),
        type: z.literal("function").optional(),
        function: z.looseObject({ name: text.optional(), arguments: text.optional() }).optional(),
      }),
    )
    .optional(),
});

export const chatCompletionChunk = z.looseObject({
  id: text,
  object: z.literal("chat.completion.chunk"),
  created: count,
  model: text,
  choices: z
    .array(z.looseObject({ index: count, delta, finish_reason: finishReason.nullish() }))
    .describe("Empty in the last chunk."),
  usage: usage.nullish().describe("In the last chunk, when stream_options.include_usage asks for it."),
  _balance_warning: balanceForms._balance_warning.optional().describe("In the last chunk."),
  _remaining_credits: balanceForms._remaining_credits.optional().describe("In the last chunk."),
  _limited_by: balanceForms._limited_by,
  error: z
    .looseObject({ message: text, code: text })
    .optional()
    .describe("In the last chunk of a stream that broke off; no [DONE] follows."),
});

const rate = z.strictObject({
  meter: text.describe("What is counted: input_tokens, output_tokens, images, seconds…"),
  per: z.int().min(1).describe("How many units it is the price of."),
  usd,
  credits: amount,
  when: z.strictObject({ input_tokens_gt: count.optional() }).optional(),
});

export const model = z.looseObject({
  id: text,
  model_id: text,
  object: z.literal("model"),
  created: count,
  owned_by: text,
  type: text.describe("chat, image, video, tts, search…"),
  name: text,
  display_name: text,
  description: text,
  aliases: z.array(text).optional(),
  alias_of: text.optional(),
  alias_kind: z.enum(["same", "successor"]).optional(),
  note: text.optional(),
  context_window: count,
  max_output: count,
  capabilities: z.record(text, z.boolean()),
  input_schema: z.record(text, z.unknown()).optional().describe("JSON Schema of `inputs` for POST /v1/run."),
  available: z.boolean().describe("Whether a call of the key's mode could be served now."),
  providers: z.array(text),
  prices: z.array(rate),
  pricing: z.record(text, z.number()),
  lifecycle: z.strictObject({ state: text, shutdown: text.nullable(), replacement: text.nullable() }),
  doc: text.nullable(),
});

export const modelList = z.strictObject({
  object: z.literal("list"),
  data: z.array(model),
  models: z.array(model).describe("The same as `data`."),
  count,
  available_types: z.record(text, count),
});

export const balance = z.strictObject({
  object: z.literal("balance"),
  mode: z.enum(["live", "test"]),
  credits: z.number().describe("What can be spent."),
  available: amount.describe("The same as a decimal string."),
  held: amount.describe("Set aside for calls that run."),
  credit_usd: usd.describe("What a credit is worth."),
});

const usageSum = { requests: count, credits: amount, usd, input_tokens: count, output_tokens: count };

const receipt = z.strictObject({
  call_id: text,
  model: text,
  served_by: text,
  credits: amount,
  ending: text.describe("done, empty, aborted or failed; canceled for runs."),
  reason: text.nullable().describe("The code of the problem."),
  estimated: z.boolean().describe("The provider told no usage: it was counted here."),
  at: z.iso.datetime(),
});

export const usageReport = z.strictObject({
  object: z.literal("usage"),
  mode: z.enum(["live", "test"]),
  period: z.enum(["day", "week", "month", "all"]).describe("The last 1, 7 or 30 UTC days, today included."),
  since: z.iso.datetime().nullable(),
  total: z.strictObject(usageSum),
  by_model: z.array(z.strictObject({ model: text, ...usageSum })),
  by_type: z.array(z.strictObject({ type: text, ...usageSum })),
  daily: z.array(z.strictObject({ date: z.iso.date(), ...usageSum })),
  recent: z.array(receipt),
});

const accountSum = { requests: count, cost_usd: z.number(), credits: z.number() };

/** The same for the command line clients, in numbers. */
export const accountUsage = z.strictObject({
  summary: z.strictObject({ total_requests: count, total_usd: z.number(), total_credits: z.number() }),
  by_model: z.array(z.strictObject({ model: text, ...accountSum })),
  by_type: z.array(z.strictObject({ type: text, ...accountSum })),
  daily: z.array(z.strictObject({ date: z.iso.date(), ...accountSum })),
  recent: z.array(receipt),
});

/** What `POST /v1/run` answers; the result's own members depend on the kind of the model. */
export const runResult = z.looseObject({
  id: text,
  object: z.enum(["run", "list"]),
  model: text,
  status: text.describe("completed; for sms what the provider says, such as success."),
  run_status: text.optional().describe("completed, where `status` is the provider's."),
  usage: z.record(text, z.number()).optional().describe("How much of each meter."),
  is_empty: z.boolean().optional().describe("There was nothing to give; nothing was charged."),
  usage_estimated: z.boolean().optional(),
  _call_cost_usd: z.number().optional(),
  _balance_warning: balanceForms._balance_warning.optional(),
  _remaining_credits: balanceForms._remaining_credits.optional(),
});

/** A run that takes longer than the request waits; whatever door began it. */
export const acceptedRun: OtherAnswer = {
  status: 202,
  answers: "A job: the run goes on without the request. Ask for its result at `poll_url`.",
  form: z.strictObject({
    id: text,
    object: z.literal("run"),
    status: z.literal("accepted"),
    job_id: text,
    poll_url: text.describe("GET /v1/job/{id}, with the key."),
    model: text,
  }),
};

export const job = z.looseObject({
  id: text,
  object: z.literal("run"),
  job_id: text,
  model: text,
  status: z.enum(["queued", "running", "completed", "failed", "canceled"]),
  poll_url: text,
  progress: z.number().min(0).max(1).optional(),
  created_at: z.iso.datetime(),
  completed_at: z.iso.datetime().nullable(),
  result: z.record(text, z.unknown()).optional().describe("As POST /v1/run answers."),
  error: text.optional(),
  error_code: text.optional(),
  error_param: text.optional(),
});

/** The data of an event of `GET /v1/run/{id}/events`. */
export const runEvent = z.union([
  job.describe("completed, failed or canceled."),
  z.strictObject({ progress: job.shape.progress }).describe("accepted, progress or fetching."),
]);
