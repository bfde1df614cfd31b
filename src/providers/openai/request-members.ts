import type { Target } from "../wire.ts";

/**
 * The members of OpenAI's chat completion request, deprecated ones included.
 * https://platform.openai.com/docs/api-reference/chat/create
 */
export const openaiRequestMembers: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "audio",
  "frequency_penalty",
  "function_call",
  "functions",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "metadata",
  "modalities",
  "moderation",
  "n",
  "parallel_tool_calls",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning_effort",
  "response_format",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options",
]);

export function isAccepted(member: string, { accepts, extraParameters, capabilities }: Target): boolean {
  if (capabilities.refuses.includes(member)) return false;
  return extraParameters.has(member) || (accepts ?? openaiRequestMembers).has(member);
}
