import type { Target } from "../wire.ts";

/** What a target is when a test does not care. */
export const plainTarget: Target = {
  upstreamModel: "upstream-model",
  maxTokensField: "max_completion_tokens",
  maxOutput: 4_096,
  accepts: undefined,
  extraParameters: new Set(),
  capabilities: {
    tools: true,
    forcedTools: true,
    vision: true,
    audio: true,
    pdf: false,
    reasoning: false,
    structuredOutput: true,
    sampling: true,
    refuses: [],
    thinking: "none",
  },
  quirks: { noDeveloperRole: false, reasoningOutsideCompletion: false, strictMessages: false },
};

const head = { id: "chatcmpl-upstream", created: 1_750_000_000, model: "upstream-model-2026-01-01" };

export const toldUsage = {
  prompt_tokens: 20,
  completion_tokens: 7,
  total_tokens: 27,
  prompt_tokens_details: { cached_tokens: 5, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

/** A whole answer of one choice, as OpenAI tells it. */
export function toldWhole(message: object, finishReason: string, more: object = {}): string {
  const choice = {
    index: 0,
    message: { role: "assistant", ...message },
    logprobs: null,
    finish_reason: finishReason,
  };
  return JSON.stringify({ ...head, object: "chat.completion", choices: [choice], usage: toldUsage, ...more });
}

/** The JSON of one frame with one choice. */
export function toldChunk(delta: object, finishReason: string | null = null, more: object = {}): string {
  const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason };
  return JSON.stringify({
    ...head,
    object: "chat.completion.chunk",
    choices: [choice],
    usage: null,
    ...more,
  });
}

export const toldUsageChunk = JSON.stringify({
  ...head,
  object: "chat.completion.chunk",
  choices: [],
  usage: toldUsage,
});

export function asEvents(...data: readonly string[]): string {
  return data.map((text) => `data: ${text}\n\n`).join("");
}
