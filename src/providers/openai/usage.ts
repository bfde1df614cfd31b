import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { ProviderQuirks } from "../../core/model.ts";
import type { ReportedUsage } from "../wire.ts";

/** No answer has more tokens; a larger number is a fault of the provider. */
const mostTokens = 1_000_000_000;

const promptDetails = ["cached_tokens", "cache_write_tokens", "audio_tokens", "text_tokens", "image_tokens"];
const completionDetails = [
  "reasoning_tokens",
  "audio_tokens",
  "text_tokens",
  "accepted_prediction_tokens",
  "rejected_prediction_tokens",
];

/**
 * Reads OpenAI's usage object, in which cached tokens are part of the prompt and, but for one quirk, reasoning is part of
 * the completion. Undefined when any number that decides about the charge is missing or cannot be: never zero instead.
 */
export function readUsage(usage: unknown, quirks: ProviderQuirks): ReportedUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const prompt = tokens(usage["prompt_tokens"]);
  const completion = tokens(usage["completion_tokens"]);
  const input = inputDetails(usage);
  const outside = quirks.reasoningOutsideCompletion ? reasoningOutside(usage) : 0;
  if (prompt === undefined || completion === undefined || input === undefined || outside === undefined)
    return undefined;
  const fresh = prompt - input.cacheRead - input.cacheWrite;
  const output = completion + outside;
  // A placeholder of zeros is no report: every chat has a prompt.
  if (fresh < 0 || prompt + output === 0) return undefined;
  return {
    shown: {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      ...shownDetails("prompt_tokens_details", promptDetails, input.told),
      ...shownDetails("completion_tokens_details", completionDetails, usage["completion_tokens_details"]),
    },
    meters: {
      input_tokens: fresh,
      ...(input.cacheRead > 0 ? { cache_read_tokens: input.cacheRead } : {}),
      ...(input.cacheWrite > 0 ? { cache_write_tokens: input.cacheWrite } : {}),
      output_tokens: output,
    },
  };
}

function tokens(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= mostTokens
    ? value
    : undefined;
}

type InputDetails = { readonly cacheRead: number; readonly cacheWrite: number; readonly told: JsonObject };

function inputDetails(usage: JsonObject): InputDetails | undefined {
  const details = usage["prompt_tokens_details"] ?? {};
  if (!isJsonObject(details)) return undefined;
  // DeepSeek's own name: https://api-docs.deepseek.com/api/create-chat-completion
  const cached = details["cached_tokens"] ?? usage["prompt_cache_hit_tokens"] ?? undefined;
  // DashScope's name: https://help.aliyun.com/en/model-studio/context-cache
  const written = details["cache_write_tokens"] ?? details["cache_creation_input_tokens"] ?? undefined;
  const cacheRead = tokens(cached ?? 0);
  const cacheWrite = tokens(written ?? 0);
  if (cacheRead === undefined || cacheWrite === undefined) return undefined;
  return {
    cacheRead,
    cacheWrite,
    told: { ...details, cached_tokens: cached, cache_write_tokens: written },
  };
}

/**
 * Reasoning that the completion leaves out. The total is the witness: where a provider counts reasoning in after all, or
 * does not tell it apart, the total still says what is missing.
 */
function reasoningOutside(usage: JsonObject): number | undefined {
  const total = tokens(usage["total_tokens"]);
  if (total !== undefined) {
    return Math.max(
      0,
      total - (tokens(usage["prompt_tokens"]) ?? 0) - (tokens(usage["completion_tokens"]) ?? 0),
    );
  }
  const details = usage["completion_tokens_details"] ?? {};
  return isJsonObject(details) ? tokens(details["reasoning_tokens"] ?? 0) : undefined;
}

function shownDetails(name: string, members: readonly string[], details: unknown): JsonObject {
  if (!isJsonObject(details)) return {};
  const shown: Record<string, number> = {};
  for (const member of members) {
    const count = tokens(details[member]);
    if (count !== undefined) shown[member] = count;
  }
  return Object.keys(shown).length === 0 ? {} : { [name]: shown };
}
