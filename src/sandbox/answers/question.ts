export type Tool = {
  readonly name: string;
  readonly description: string;
  readonly schema: unknown;
  /** It takes any text in place of arguments. */
  readonly isCustom?: boolean;
};

/** What a request asks, in words that both wires share. */
export type Question = {
  /** 64 hexadecimal digits; the same question has the same ones, streamed or whole, cut short or not. */
  readonly fingerprint: string;
  /** The last user message's text without directives. */
  readonly prompt: string;
  /** What tools gave back since the last answer; empty when the user spoke last. */
  readonly toolResults: readonly string[];
  readonly tools: readonly Tool[];
  readonly toolChoice: "auto" | "none" | "required" | { readonly name: string };
  readonly mayCallInParallel: boolean;
  /** The answer is to be JSON: any object, or a value of the schema. */
  readonly json: { readonly schema: unknown } | undefined;
  /** Output tokens at most, thinking included. */
  readonly maxTokens: number;
  /** Ordered length of the text; undefined leaves it to the answer. */
  readonly lengthTokens: number | undefined;
  readonly stops: readonly string[];
  readonly thinks: boolean;
  /** How many answers are asked for. */
  readonly choices: number;
};
