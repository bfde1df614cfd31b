import { z } from "zod";
import type { ChatRequest } from "../core/chat.ts";
import { isJsonObject } from "../core/json-object.ts";
import { Problem } from "../core/problems.ts";
import { checked } from "./parse-json.ts";
import { plainChatOf } from "./plain-chat.ts";

/** The body of a chat call. Strict about what we read or bill by, open to all that only the upstream reads. */

const text = z.string();
const contentPart = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text"), text }),
  z.looseObject({
    type: z.literal("image_url"),
    image_url: z.looseObject({ url: text.min(1), detail: text.optional() }),
  }),
  z.looseObject({ type: z.literal("input_audio"), input_audio: z.looseObject({ data: text, format: text }) }),
  z.looseObject({
    type: z.literal("file"),
    file: z.looseObject({ file_data: text.optional(), file_id: text.optional(), filename: text.optional() }),
  }),
  z.looseObject({ type: z.literal("refusal"), refusal: text }),
]);

const content = z.union([text, z.array(contentPart).min(1).max(2_000)]);

const toolCall = z.discriminatedUnion("type", [
  z.looseObject({
    id: text.min(1),
    type: z.literal("function"),
    function: z.looseObject({ name: text.min(1), arguments: text }),
  }),
  z.looseObject({
    id: text.min(1),
    type: z.literal("custom"),
    custom: z.looseObject({ name: text.min(1), input: text }),
  }),
]);

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal(["system", "developer", "user"]), content, name: text.optional() }),
  z.looseObject({
    role: z.literal("assistant"),
    content: content.nullish(),
    name: text.optional(),
    refusal: text.nullish(),
    tool_calls: z.array(toolCall).max(1_000).nullish(),
    reasoning_details: z.array(z.record(text, z.unknown())).max(1_000).nullish(),
  }),
  z.looseObject({ role: z.literal("tool"), content, tool_call_id: text.min(1) }),
  z.looseObject({ role: z.literal("function"), content: content.nullish(), name: text }),
]);

const toolName = text.regex(/^[a-zA-Z0-9_-]{1,64}$/, "want 1 to 64 letters, digits, _ or -");
const calledFunction = z.looseObject({
  name: toolName,
  description: text.optional(),
  parameters: z.record(text, z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
const tool = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("function"), function: calledFunction }),
  z.looseObject({
    type: z.literal("custom"),
    custom: z.looseObject({
      name: toolName,
      description: text.optional(),
      format: z.record(text, z.unknown()).nullish(),
    }),
  }),
]);

const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: text.min(1) }) }),
  z.looseObject({ type: z.literal("custom"), custom: z.looseObject({ name: text.min(1) }) }),
  z.looseObject({ type: z.literal("allowed_tools") }),
]);

const responseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: text.min(1).max(64),
      description: text.optional(),
      schema: z.record(text, z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const tokenLimit = z.int().min(1).max(2_147_483_647);

export const chatRequestSchema = z.looseObject({
  model: text.min(1).describe("Model id or alias, see GET /v1/models."),
  messages: z.array(message).min(1).describe("The conversation so far."),
  max_tokens: tokenLimit.nullish().describe("Most tokens to generate, thinking included; 4096 when absent."),
  max_completion_tokens: tokenLimit.nullish().describe("The newer name of max_tokens; wins over it."),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  n: z.int().min(1).max(128).nullish().describe("How many choices to generate; each is charged."),
  stop: z.union([text, z.array(text).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  tools: z.array(tool).max(512).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.nullish(),
  reasoning_effort: text.max(32).nullish(),
  seed: z.int().nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  logit_bias: z
    .record(text.regex(/^\d{1,10}$/, "want the id of a token as the name"), z.number().min(-100).max(100))
    .nullish(),
  functions: z.array(calledFunction).min(1).max(128).nullish(),
  function_call: z.union([z.enum(["none", "auto"]), z.looseObject({ name: text.min(1) })]).nullish(),
  modalities: z.array(text).min(1).max(8).nullish(),
  user: text.max(512).nullish(),
  metadata: z.record(text, text).nullish(),
  thinking: z.record(text, z.unknown()).nullish(),
}) satisfies z.ZodType<ChatRequest>;

/** With the members that only some providers read, which go on as they came: for the OpenAPI document. */
export const documentedChatRequest = chatRequestSchema.extend({
  audio: z
    .looseObject({ format: text, voice: z.unknown().optional() })
    .nullish()
    .describe("For models that speak."),
  function_call: z.unknown().optional().describe("Deprecated: tool_choice."),
  functions: z.unknown().optional().describe("Deprecated: tools."),
  modalities: z.array(text).nullish(),
  moderation: z.unknown().optional(),
  prediction: z.record(text, z.unknown()).nullish(),
  prompt_cache_key: text.nullish(),
  prompt_cache_retention: text.nullish(),
  safety_identifier: text.nullish(),
  service_tier: text.nullish(),
  store: z.boolean().nullish(),
  verbosity: text.nullish(),
  web_search_options: z.record(text, z.unknown()).nullish(),
});

/** Members whose names are the customer's own. */
const tables = ["logit_bias", "metadata", "thinking"] as const;
const mostEntries = 1_024;
/** Below this length the whole is checked at once. */
const crowd = 10;

/**
 * The checked body of a chat call, or `invalid_request`. Describing every fault of a crowded body takes seconds, so that
 * crowds are looked at one by one and the first fault ends it.
 */
export function readChatRequest(value: unknown): z.output<typeof chatRequestSchema> {
  const plain = plainChatOf(value);
  if (plain !== undefined) return plain;
  if (isJsonObject(value)) {
    for (const member of tables) refuseLongTable(member, value[member]);
    const { messages } = value;
    if (Array.isArray(messages) && messages.length > crowd)
      messages.forEach((one: unknown, index) => checked(message, one, ["messages", index]));
  }
  const request = checked(chatRequestSchema, value);
  // https://platform.openai.com/docs/api-reference/chat/create#chat-create-top_logprobs
  if ((request.top_logprobs ?? 0) > 0 && request.logprobs !== true)
    throw new Problem("invalid_request", {
      param: "top_logprobs",
      message: "top_logprobs: goes with logprobs set to true only",
    });
  return request;
}

function refuseLongTable(member: string, table: unknown): void {
  if (!isJsonObject(table) || Object.keys(table).length <= mostEntries) return;
  throw new Problem("invalid_request", {
    param: member,
    message: `${member}: want at most ${mostEntries} entries.`,
  });
}
