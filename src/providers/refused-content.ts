/**
 * Providers tell in many ways that their rules on content forbid what a request asks for. Seen at: Azure (content_filter),
 * OpenAI (invalid_prompt with its message, content_policy_violation, moderation_blocked), Qwen (data_inspection_failed),
 * DeepSeek, xAI, Google and Anthropic (by their message alone).
 */
const codes: ReadonlySet<string> = new Set([
  "content_filter",
  "content_policy_violation",
  "moderation_blocked",
  "data_inspection_failed",
  "responsibleaipolicyviolation",
]);

/** Their starts, where what follows may be the customer's words. */
const messages = [
  /^(?:invalid prompt: )?your prompt was flagged as potentially violating our usage policy/i,
  /^the response was filtered due to the prompt triggering\b/i,
  /^(?:<400> )?InternalError\.Algo\.DataInspectionFailed\b/,
  /^content exists risk\b/i,
  /^content violates usage guidelines\b/i,
  /^(?:in|out)put blocked by content filtering policy\b/i,
  /^the (?:prompt|model output) could not be .{0,100}\bresponsible ai practices\b/i,
];

type Told = { readonly codes: readonly string[]; readonly message: string };

export function saysRefusedContent(told: Told): boolean {
  return (
    told.codes.some((code) => codes.has(code.toLowerCase())) || messages.some((one) => one.test(told.message))
  );
}
