import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { ProviderQuirks } from "../../core/model.ts";
import type { Usage } from "../../core/usage.ts";
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
  const shown: Record<string, unknown> = {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
  };
  if (input.shown !== undefined) shown["prompt_tokens_details"] = input.shown;
  const told = countsIn(usage["completion_tokens_details"], completionDetails);
  if (told !== undefined) shown["completion_tokens_details"] = told;
  return { shown, meters: metersOf(fresh, input, output) };
}

function metersOf(fresh: number, { cacheRead, cacheWrite }: InputDetails, output: number): Usage {
  const meters: Usage = { input_tokens: fresh, output_tokens: output };
  if (cacheRead === 0 && cacheWrite === 0) return meters;
  return {
    ...meters,
    ...(cacheRead > 0 ? { cache_read_tokens: cacheRead } : {}),
    ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}),
  };
}

function tokens(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= mostTokens
    ? value
    : undefined;
}

type Counts = Readonly<Record<string, number>>;
type InputDetails = {
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly shown: Counts | undefined;
};

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
  const told = inOpenaisWords(details, cached, written);
  return { cacheRead, cacheWrite, shown: countsIn(told, promptDetails) };
}

function inOpenaisWords(details: JsonObject, cached: unknown, written: unknown): JsonObject {
  const isSo = cached === details["cached_tokens"] && written === details["cache_write_tokens"];
  return isSo ? details : { ...details, cached_tokens: cached, cache_write_tokens: written };
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

/** Those members of what a provider tells that are counts; undefined when there are none. */
function countsIn(details: unknown, members: readonly string[]): Counts | undefined {
  if (!isJsonObject(details)) return undefined;
  let counts: Record<string, number> | undefined;
  for (const member of members) {
    const count = tokens(details[member]);
    if (count !== undefined) (counts ??= {})[member] = count;
  }
  return counts;
}
