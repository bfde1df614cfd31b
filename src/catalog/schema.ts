import { z } from "zod";
import { endpointFacts } from "./endpoint-schema.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import { nanoUsd } from "../core/price.ts";
import { meters } from "../core/usage.ts";

/** Letters, digits and `._:@+-` in segments that start with a letter or digit: nothing that could climb a path. */
const namePattern = /^[a-z0-9][a-z0-9._:@+-]*(?:\/[a-z0-9][a-z0-9._:@+-]*)*$/i;

const maxNameLength = 160;

/** ASCII only, so that no look-alike letter is ever folded into a known name. */
export function isModelName(text: string): boolean {
  return text.length <= maxNameLength && namePattern.test(text);
}

const modelName = z
  .string()
  .refine(isModelName, `want a name such as maker/model-1.5, at most ${maxNameLength} characters`);
const usd = z.string().refine(isUsd, "want USD as a decimal string with at most 9 decimals, such as 0.15");
const tokens = z.number().int().min(1).max(100_000_000);
const address = z.url({ protocol: /^https?$/, error: "want an http or https address" });
/** Of ours are the pages that this server has under `/docs/`. */
const documentation = z
  .string()
  .refine(
    (text) => address.safeParse(text).success || /^\/docs\/[\w-]+\.md(?:#[\w-]+)?$/.test(text),
    "want an http or https address, or a page of this server such as /docs/engines.md#scrape",
  );
const requestMember = z.string().regex(/^[a-z_]+$/, "want a member of a request, such as top_k");
const extraParameter = z
  .string()
  .regex(
    /^[a-z_]+(?:\.[a-z_]+)*$/,
    "want a member of a request, or a part of one, such as extra_body.thinking",
  );
const maxTokensField = z.enum(["max_tokens", "max_completion_tokens"]);

const rate = z.strictObject({
  meter: z.enum(meters),
  /** How many units `usd` buys: 1000000 for tokens. */
  per: z.number().int().min(1).max(1_000_000_000),
  usd,
  when: z.strictObject({ input_tokens_gt: z.number().int().min(1) }).exactOptional(),
});

const capabilities = z.strictObject({
  tools: z.boolean().default(true),
  forced_tools: z.boolean().default(true),
  vision: z.boolean().default(false),
  audio: z.boolean().default(true),
  pdf: z.boolean().default(false),
  reasoning: z.boolean().default(false),
  structured_output: z.boolean().default(true),
  sampling: z.boolean().default(true),
  refuses: z.array(requestMember).default([]),
  thinking: z.enum(["none", "budget", "adaptive", "between_tools", "always"]).default("none"),
});

const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "want an environment variable");
const providerAddress = z
  .string()
  .regex(/^https?:\/\/[A-Za-z0-9.{}_-]+(?::\d+)?(?:\/[\w./-]*)?$/, "want an http or https address");
const setting = z.string().min(1);

const auth = z.union([
  z.strictObject({
    type: z.literal("header").default("header"),
    header: z.string().regex(/^[A-Za-z0-9-]+$/, "want a header name"),
    prefix: z.string(),
  }),
  z.strictObject({ type: z.literal("query"), parameter: z.string().min(1) }),
  z.strictObject({ type: z.literal("basic"), user: setting }),
  z.strictObject({
    type: z.literal("sigv4"),
    service: z.string().min(1),
    access_key: setting,
    region: setting,
    session_token: setting.optional(),
  }),
  z.strictObject({ type: z.literal("jwt-hs256"), issuer: setting }),
  z.strictObject({ type: z.literal("google-service-account"), scope: z.string().min(1) }),
]);

/**
 * Anthropic's "PDF support" names up to 3,000 tokens of text for a page and adds an image of it, which is about 1,600 in
 * what customers measured with Claude 4.5 and 5.5. Gemini counts 258 to 1,120 for a page.
 */
const defaultPageTokens = 5000;

/** What every model of a server with free model names is taken to be. */
const openModels = z.strictObject({
  context_window: tokens,
  max_output: tokens,
  image_tokens: tokens.default(3000),
  pdf_page_tokens: tokens.default(defaultPageTokens),
  capabilities: capabilities.prefault({}),
  price: z.array(rate),
});

/** For editors: where the file's JSON Schema lies. */
const schemaAddress = { $schema: z.string().optional() };

export const providerFile = z.strictObject({
  ...schemaAddress,
  id: z.string().regex(/^[a-z][a-z0-9-]*$/, "want lower-case letters, digits and dashes"),
  name: z.string().min(1),
  wire: z.string().min(1).optional(),
  base_url: providerAddress.optional(),
  run_base_url: providerAddress.optional(),
  auth: auth.optional(),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, "want a header name"), z.string()).default({}),
  key_variable: variable.optional(),
  settings: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]*$/),
      z.strictObject({ variable, required: z.boolean().default(true), sandbox: z.string().default("") }),
    )
    .default({}),
  trusted_hosts: z
    .array(z.string().regex(/^(?:\*\.)?[a-z0-9.-]+$/, "want a host such as *.example.com"))
    .default([]),
  key_optional: z.boolean().default(false),
  accepts: z.array(requestMember).optional(),
  extra_parameters: z.array(extraParameter).default([]),
  max_tokens_field: maxTokensField.default("max_tokens"),
  custom_tools: z.boolean().default(false),
  quirks: z
    .strictObject({
      no_developer_role: z.boolean().default(false),
      reasoning_outside_completion: z.boolean().default(false),
      thinking_outside_limit: z.boolean().default(false),
      fetches_files: z.boolean().default(false),
      strict_messages: z.boolean().default(false),
    })
    .prefault({}),
  open_models: openModels.optional(),
  doc: address.optional(),
});

const chatOffer = z.strictObject({
  provider: z.string(),
  upstream_model: z.string().min(1).max(200),
  max_tokens_field: maxTokensField.optional(),
  price: z.array(rate),
});

const runOfferBase = {
  provider: z.string(),
  upstream_model: z.string().min(1).max(200),
  /** Where it is not the model's retail price. */
  price: z.array(rate).min(1).optional(),
};
const runOffer = z.union([
  z.strictObject({ ...runOfferBase, ...endpointFacts }),
  z.strictObject({ ...runOfferBase, engine: z.string().min(1) }),
]);

const alias = z
  .strictObject({
    id: modelName,
    kind: z.enum(["same", "successor"]),
    listed: z.boolean().default(false),
    note: z.string().min(1).optional(),
  })
  .refine((given) => given.kind === "same" || given.note !== undefined, {
    path: ["note"],
    error: "a successor says what became of the name asked for",
  });

const lifecycle = z
  .strictObject({
    state: z.enum(["active", "deprecated", "retired"]),
    shutdown: z.iso.date().optional(),
    replacement: modelName.optional(),
  })
  .refine((given) => given.state !== "active" || given.shutdown === undefined, {
    path: ["state"],
    error: "a model with a shutdown date is deprecated or retired, not active",
  });

const limit = z.number("a chat model says its limits").int().min(1).max(100_000_000);
const saysPrice = "a run model says its retail price";

const category = z.string().regex(/^[a-z][a-z_]*$/, "want a word in lower case, such as chat or image");

const anyModel = {
  ...schemaAddress,
  id: modelName,
  name: z.string().min(1).optional(),
  description: z.string().default(""),
  lifecycle: lifecycle.prefault({ state: "active" }),
  aliases: z.array(alias).default([]),
  doc: documentation.optional(),
  /** Where the prices come from, for people, and the day that source described. */
  source: z.string().optional(),
  as_of: z.iso.date().optional(),
};

export const chatModelFile = z.strictObject({
  ...anyModel,
  kind: z.literal("chat").default("chat"),
  category: category.default("chat"),
  context_window: limit,
  max_output: limit,
  image_tokens: tokens.default(3000),
  pdf_page_tokens: tokens.default(defaultPageTokens),
  capabilities: capabilities.prefault({}),
  offers: z.array(chatOffer).min(1, "a chat model has at least one offer"),
});

const jsonObject = z.custom<JsonObject>(isJsonObject, "want an object");

export const runModelFile = z.strictObject({
  ...anyModel,
  kind: z.literal("run"),
  category,
  inputs: jsonObject.default({ type: "object" }),
  input_aliases: z.record(z.string(), z.string()).default({}),
  example: jsonObject.optional(),
  side_effects: z.boolean().default(false),
  retail: z.array(rate, saysPrice).min(1, saysPrice),
  offers: z.array(runOffer).default([]),
});

/** By its `kind`, so that a fault is told for what the file means to be. */
export function modelSchemaOf(value: unknown): typeof chatModelFile | typeof runModelFile {
  const isRun = typeof value === "object" && value !== null && "kind" in value && value.kind === "run";
  return isRun ? runModelFile : chatModelFile;
}

export type RateFacts = z.output<typeof rate>;
export type CapabilityFacts = z.output<typeof capabilities>;
export type OpenModelFacts = z.output<typeof openModels>;
export type ProviderFacts = z.output<typeof providerFile>;
export type ChatOfferFacts = z.output<typeof chatOffer>;
export type RunOfferFacts = z.output<typeof runOffer>;
export type ChatModelFacts = z.output<typeof chatModelFile>;
export type RunModelFacts = z.output<typeof runModelFile>;
export type ModelFacts = ChatModelFacts | RunModelFacts;

function isUsd(text: string): boolean {
  try {
    nanoUsd(text);
    return true;
  } catch {
    return false;
  }
}
