/**
 * Providers tell in many ways that a prompt, or the prompt with the output asked for, exceeds the model's window. Seen at:
 * OpenAI, DeepSeek, vLLM, OpenRouter (maximum context length); xAI (maximum prompt length); Gemini (input token count);
 * Qwen (range of input length); Anthropic (prompt is too long, context limit); llama.cpp, MiniMax (context size, window).
 */
const messages = [
  /\bmaximum (?:context|prompt) length is \d+/i,
  /\b\d+ maximum context length\b/i,
  /\binput token count\b.{0,20}\bexceeds the maximum\b/i,
  /\brange of input length should be\b/i,
  /^prompt is too long: \d+ tokens/i,
  /\bexceed context limit: \d+ \+ \d+ > \d+/i,
  /\bexceeds? (?:the )?(?:available )?context (?:size|window|length|limit)\b/i,
  /\bcontext window exceeds limit\b/i,
];

/** llama.cpp has a type of its own for it. */
const codes: ReadonlySet<string> = new Set(["context_length_exceeded", "exceed_context_size_error"]);

type Told = { readonly codes: readonly string[]; readonly message: string };

export function saysTooLong(told: Told): boolean {
  return told.codes.some((code) => codes.has(code)) || messages.some((one) => one.test(told.message));
}
