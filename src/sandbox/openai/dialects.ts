/** How providers that speak the OpenAI wire differ in what they send back. */
export type Dialect = {
  /** Thinking is shown in `reasoning_content`; OpenAI itself only counts it. */
  readonly showsReasoning: boolean;
  /** `completion_tokens` leaves reasoning out (xAI; docs.x.ai, usage of reasoning models). */
  readonly reasoningOutsideCompletion: boolean;
  /** Members added to `usage`. */
  readonly extraUsage: (promptTokens: number) => Readonly<Record<string, unknown>>;
  /** A comment sent before the first frame (openrouter.ai/docs, streaming: comments keep the connection open). */
  readonly comment: string;
};

const plain: Dialect = {
  showsReasoning: true,
  reasoningOutsideCompletion: false,
  extraUsage: () => ({}),
  comment: "",
};

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ["openai", { ...plain, showsReasoning: false }],
  // api-docs.deepseek.com: cache hits and misses beside the standard members.
  [
    "deepseek",
    {
      ...plain,
      extraUsage: (promptTokens: number) => ({
        prompt_cache_hit_tokens: 0,
        prompt_cache_miss_tokens: promptTokens,
      }),
    },
  ],
  ["xai", { ...plain, reasoningOutsideCompletion: true }],
  // openrouter.ai/docs, usage accounting: what the call cost OpenRouter's customer.
  [
    "openrouter",
    {
      ...plain,
      extraUsage: () => ({
        cost: 0.000_015,
        cost_details: { upstream_inference_cost: null },
        is_byok: false,
      }),
      comment: ": OPENROUTER PROCESSING\n\n",
    },
  ],
]);

export function dialectOf(provider: string): Dialect {
  return dialects.get(provider) ?? plain;
}
