import { badRequest } from "../refusal.ts";
import type { Generation } from "./versions.ts";

type Asked = {
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly window: number | undefined;
  readonly generation: Generation;
};

/**
 * The most tokens that may come: from generation 4.5 on what the window leaves, where older models refuse to begin.
 * platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
 */
export function outputLimit({ promptTokens, maxTokens, window, generation }: Asked): number {
  if (window === undefined) return maxTokens;
  if (promptTokens > window)
    throw badRequest(`prompt is too long: ${promptTokens} tokens > ${window} maximum`);
  if (promptTokens + maxTokens > window && !generation.stopsAtWindow) {
    throw badRequest(
      `input length and \`max_tokens\` exceed context limit: ${promptTokens} + ${maxTokens} > ${window}`,
    );
  }
  return Math.min(maxTokens, window - promptTokens);
}
