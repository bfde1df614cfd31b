import type { Endpoint } from "./endpoint.ts";
import type { JsonObject } from "./json-object.ts";
import type { Price } from "./price.ts";

/** A company with an address. `live` credentials come from the environment, never from here. */
export type Provider = {
  readonly id: string;
  readonly name: string;
  /** Which wire it speaks for chats; a name in the registry of wires. Undefined when it serves runs only. */
  readonly wire: string | undefined;
  /**
   * Default address, for chats and for runs; undefined for servers that only the operator can name (Ollama, vLLM…).
   * `{region}` stands for a setting.
   */
  readonly baseUrl: string | undefined;
  /** Where runs go when that is not the address of chats. */
  readonly runBaseUrl: string | undefined;
  readonly auth: ProviderAuth | undefined;
  /** What every request for a run there carries besides, such as a version. */
  readonly headers: Readonly<Record<string, string>>;
  /** The environment variable of its secret, where that is not `<ID>_API_KEY`. */
  readonly keyVariable: string | undefined;
  /** What else the operator says about the account there, by name. */
  readonly settings: readonly ProviderSetting[];
  /** Hosts besides its own that the credential may follow an address to, when an answer names it: `*.bfl.ai`. */
  readonly trustedHosts: readonly string[];
  /** True for servers that also answer without a key, such as Ollama on one's own machine. */
  readonly keyOptional?: boolean;
  /** Members of OpenAI's request that this provider takes; undefined is all of them. */
  readonly accepts: readonly string[] | undefined;
  /** Members it takes beyond OpenAI's request. */
  readonly extraParameters: readonly string[];
  /** Name of the output limit on its wire: `max_tokens` or `max_completion_tokens`. */
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  /** True where tools may take any text (`"type": "custom"`), as OpenAI has them. */
  readonly customTools?: boolean;
  readonly quirks: ProviderQuirks;
  readonly doc: string | undefined;
};

/** How a credential is worn. */
export type ProviderAuth =
  | { readonly type: "header"; readonly header: string; readonly prefix: string }
  | { readonly type: "query"; readonly parameter: string }
  /** The user name is a setting, the secret the password. */
  | { readonly type: "basic"; readonly user: string }
  /** Settings name the access key, the region, and the session token of temporary credentials. */
  | {
      readonly type: "sigv4";
      readonly service: string;
      readonly accessKey: string;
      readonly region: string;
      readonly sessionToken: string | undefined;
    }
  /** A signed token of half an hour; the issuer is a setting. */
  | { readonly type: "jwt-hs256"; readonly issuer: string }
  /** The secret is a service account's key file as JSON text. */
  | { readonly type: "google-service-account"; readonly scope: string };

export type ProviderSetting = {
  readonly name: string;
  readonly variable: string;
  readonly isRequired: boolean;
  /** What the sandbox is told. */
  readonly sandbox: string;
};

export type ProviderQuirks = {
  /** `developer` messages must be sent as `system`. */
  readonly noDeveloperRole: boolean;
  /** `completion_tokens` leaves reasoning tokens out; they are billed all the same. */
  readonly reasoningOutsideCompletion: boolean;
  /** The output limit leaves thinking out, which is billed all the same: it needs a limit of its own. */
  readonly thinkingOutsideLimit?: boolean;
  /** A file may be an address, which is fetched there. */
  readonly fetchesFiles?: boolean;
  /** A message with a member that only other providers know is refused: it is sent without. */
  readonly strictMessages: boolean;
};

/** What a model can and cannot do. Translators drop or refuse by these, never by a model's name. */
export type Capabilities = {
  readonly tools: boolean;
  /** False: a choice of tools that makes it call one is refused upstream, and is sent as `auto` from here. */
  readonly forcedTools: boolean;
  readonly vision: boolean;
  /** False: sound costs more there than the price says, and is refused here. */
  readonly audio: boolean;
  readonly pdf: boolean;
  readonly reasoning: boolean;
  readonly structuredOutput: boolean;
  /** False: `temperature`, `top_p` and what else steers sampling is refused upstream and dropped here. */
  readonly sampling: boolean;
  /** Members of OpenAI's request that its provider takes, but not for this model: dropped here. */
  readonly refuses: readonly string[];
  /**
   * How thinking is asked for: not at all, by a token budget, or adaptively by effort. `between_tools` and `always` are
   * adaptive as well: the first keeps its notes between calls of tools when it is switched off, the other never is.
   */
  readonly thinking: "none" | "budget" | "adaptive" | "between_tools" | "always";
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

type ModelFacts = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly lifecycle: Lifecycle;
  readonly aliases: readonly Alias[];
  readonly doc: string | undefined;
  /** ISO date of the source that its facts were taken from. */
  readonly asOf?: string | undefined;
};

export type ChatModel = ModelFacts & {
  readonly kind: "chat";
  readonly contextWindow: number;
  readonly maxOutput: number;
  /** Tokens one image may cost at most, for the hold. */
  readonly imageTokens: number;
  /** Tokens one page of a PDF may cost at most, text and image. */
  readonly pdfPageTokens: number;
  readonly capabilities: Capabilities;
  /** Best first, one at least. */
  readonly offers: readonly Offer[];
};

export type RunModel = ModelFacts & {
  readonly kind: "run";
  /** JSON Schema of its inputs: an object without other members. */
  readonly inputs: JsonObject;
  /** Other names of inputs, besides those that every category knows. */
  readonly inputAliases: Readonly<Record<string, string>>;
  /** Inputs that work, for documents and tests. */
  readonly example: JsonObject;
  /** Best first; none when nobody serves it yet. */
  readonly offers: readonly RunOffer[];
  /** What an offer without a price of its own is sold at. */
  readonly retail: Price;
  /** It acts on the world (an e-mail, a payment): it is never asked twice on an unknown outcome. */
  readonly hasSideEffects: boolean;
};

export type Model = ChatModel | RunModel;

/** One way and price to do a run: at a provider, or by an engine of this machine. */
export type RunOffer = {
  readonly provider: Provider;
  readonly upstreamModel: string;
  readonly price: Price;
  readonly work: { readonly endpoint: Endpoint } | { readonly engine: string };
};

/** `same`: another spelling. `successor`: the asked one is gone, this one answers and may cost otherwise. */
export type Alias = {
  readonly id: string;
  readonly kind: "same" | "successor";
  /** Shown in lists as a model of its own. */
  readonly listed: boolean;
  readonly note: string | undefined;
};
