import { z } from "zod";
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
const requestMember = z.string().regex(/^[a-z_]+$/, "want a member of a request, such as top_k");
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
  vision: z.boolean().default(false),
  pdf: z.boolean().default(false),
  reasoning: z.boolean().default(false),
  structured_output: z.boolean().default(true),
  sampling: z.boolean().default(true),
  thinking: z.enum(["none", "budget", "adaptive", "always"]).default("none"),
});

/** What every model of a server with free model names is taken to be. */
const openModels = z.strictObject({
  context_window: tokens,
  max_output: tokens,
  image_tokens: tokens.default(3000),
  capabilities: capabilities.prefault({}),
  price: z.array(rate),
});

export const providerFile = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/, "want lower-case letters, digits and dashes"),
  name: z.string().min(1),
  wire: z.string().min(1),
  base_url: address.optional(),
  auth: z
    .strictObject({ header: z.string().regex(/^[A-Za-z0-9-]+$/, "want a header name"), prefix: z.string() })
    .optional(),
  key_optional: z.boolean().default(false),
  accepts: z.array(requestMember).optional(),
  extra_parameters: z.array(requestMember).default([]),
  max_tokens_field: maxTokensField.default("max_tokens"),
  quirks: z
    .strictObject({
      no_developer_role: z.boolean().default(false),
      reasoning_outside_completion: z.boolean().default(false),
    })
    .prefault({}),
  open_models: openModels.optional(),
  doc: address.optional(),
});

const offer = z.strictObject({
  provider: z.string(),
  upstream_model: z.string().min(1).max(200),
  max_tokens_field: maxTokensField.optional(),
  price: z.array(rate),
});

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

export const modelFile = z.strictObject({
  id: modelName,
  name: z.string().min(1).optional(),
  kind: z.enum(["chat", "run"]).default("chat"),
  category: z
    .string()
    .regex(/^[a-z][a-z_]*$/, "want a word in lower case, such as chat or image")
    .optional(),
  description: z.string().default(""),
  context_window: tokens.optional(),
  max_output: tokens.optional(),
  image_tokens: tokens.default(3000),
  capabilities: capabilities.prefault({}),
  lifecycle: lifecycle.prefault({ state: "active" }),
  offers: z.array(offer),
  retail: z.array(rate).optional(),
  aliases: z.array(alias).default([]),
  doc: address.optional(),
  /** Where the prices come from, and the day that source described. For people; the program does not read them. */
  source: z.string().optional(),
  as_of: z.iso.date().optional(),
});

export type RateFacts = z.output<typeof rate>;
export type CapabilityFacts = z.output<typeof capabilities>;
export type OpenModelFacts = z.output<typeof openModels>;
export type ProviderFacts = z.output<typeof providerFile>;
export type OfferFacts = z.output<typeof offer>;
export type ModelFacts = z.output<typeof modelFile>;

function isUsd(text: string): boolean {
  try {
    nanoUsd(text);
    return true;
  } catch {
    return false;
  }
}
