import type { JsonObject } from "../../core/json-object.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { Usage } from "../../core/usage.ts";
import type { ReportedUsage } from "../wire.ts";

/** Anthropic's counts, as far as told. `input` leaves out what was read from or written to the cache. */
export type Counts = {
  readonly input?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly output?: number;
  readonly thinking?: number;
};

/** What a later `usage` tells replaces what was known; what it leaves out or tells as null does not. */
export function mergeCounts(known: Counts, usage: unknown): Counts {
  if (!isJsonObject(usage)) return known;
  const details = usage["output_tokens_details"];
  return {
    ...known,
    ...count("input", usage["input_tokens"]),
    ...count("cacheRead", usage["cache_read_input_tokens"]),
    ...count("cacheWrite", usage["cache_creation_input_tokens"]),
    ...count("output", usage["output_tokens"]),
    ...(isJsonObject(details) ? count("thinking", details["thinking_tokens"]) : {}),
  };
}

function count(name: keyof Counts, value: unknown): Counts {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? { [name]: value } : {};
}

/** The input as meters; undefined when the provider has not told it. */
export function promptUsageOf({ input, cacheRead = 0, cacheWrite = 0 }: Counts): Usage | undefined {
  if (input === undefined) return undefined;
  return {
    input_tokens: input,
    ...(cacheRead === 0 ? {} : { cache_read_tokens: cacheRead }),
    ...(cacheWrite === 0 ? {} : { cache_write_tokens: cacheWrite }),
  };
}

/** Undefined unless both input and output were told: half a count is no count. */
export function reportedUsageOf(counts: Counts): ReportedUsage | undefined {
  const prompt = promptUsageOf(counts);
  const { input = 0, cacheRead = 0, cacheWrite = 0, output } = counts;
  if (prompt === undefined || output === undefined) return undefined;
  const promptTokens = input + cacheRead + cacheWrite;
  return {
    shown: {
      prompt_tokens: promptTokens,
      completion_tokens: output,
      total_tokens: promptTokens + output,
      prompt_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
      ...thinkingShown(counts.thinking),
    },
    meters: { ...prompt, output_tokens: output },
  };
}

function thinkingShown(thinking: number | undefined): JsonObject {
  return thinking === undefined ? {} : { completion_tokens_details: { reasoning_tokens: thinking } };
}
