import type { Price } from "./price.ts";

/** A company with an address. `live` credentials come from the environment, never from here. */
export type Provider = {
  readonly id: string;
  readonly name: string;
  /** Which wire it speaks; a name in the registry of wires. */
  readonly wire: string;
  /** Default address; undefined for servers that only the operator can name (Ollama, vLLM…). */
  readonly baseUrl: string | undefined;
  readonly auth: { readonly header: string; readonly prefix: string } | undefined;
  /** True for servers that also answer without a key, such as Ollama on one's own machine. */
  readonly keyOptional?: boolean;
  /** Members of OpenAI's request that this provider takes; undefined is all of them. */
  readonly accepts: readonly string[] | undefined;
  /** Members it takes beyond OpenAI's request. */
  readonly extraParameters: readonly string[];
  /** Name of the output limit on its wire: `max_tokens` or `max_completion_tokens`. */
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  readonly quirks: ProviderQuirks;
  readonly doc: string | undefined;
};

export type ProviderQuirks = {
  /** `developer` messages must be sent as `system`. */
  readonly noDeveloperRole: boolean;
  /** `completion_tokens` leaves reasoning tokens out; they are billed all the same. */
  readonly reasoningOutsideCompletion: boolean;
};

/** What a model can and cannot do. Translators drop or refuse by these, never by a model's name. */
export type Capabilities = {
  readonly tools: boolean;
  readonly vision: boolean;
  readonly pdf: boolean;
  readonly reasoning: boolean;
  readonly structuredOutput: boolean;
  /** False: `temperature`, `top_p` and what else steers sampling is refused upstream and dropped here. */
  readonly sampling: boolean;
  /** How thinking is asked for: not at all, by a token budget, adaptively by effort, or so and never switched off. */
  readonly thinking: "none" | "budget" | "adaptive" | "always";
};

/** One provider's way and price to serve a model. */
export type Offer = {
  readonly provider: Provider;
  readonly upstreamModel: string;
  readonly price: Price;
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
};

export type Lifecycle = {
  readonly state: "active" | "deprecated" | "retired";
  /** ISO date on which the provider ends it. */
  readonly shutdown: string | undefined;
  readonly replacement: string | undefined;
};

export type Model = {
  readonly id: string;
  readonly name: string;
  readonly kind: "chat" | "run";
  readonly description: string;
  readonly category: string;
  readonly contextWindow: number;
  readonly maxOutput: number;
  /** Tokens one image may cost at most, for the hold. */
  readonly imageTokens: number;
  readonly capabilities: Capabilities;
  readonly lifecycle: Lifecycle;
  /** Best first. A chat model has at least one. */
  readonly offers: readonly Offer[];
  /** Price to the customer of a run model, where it is not that of its offers. */
  readonly retail?: Price;
  readonly aliases: readonly Alias[];
  readonly doc: string | undefined;
};

/** `same`: another spelling. `successor`: the asked one is gone, this one answers and may cost otherwise. */
export type Alias = {
  readonly id: string;
  readonly kind: "same" | "successor";
  /** Shown in lists as a model of its own. */
  readonly listed: boolean;
  readonly note: string | undefined;
};
