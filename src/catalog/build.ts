import type { JsonObject } from "../core/json-object.ts";
import type {
  Alias,
  Capabilities,
  ChatModel,
  Lifecycle,
  Model,
  Offer,
  Provider,
  ProviderAuth,
  RunModel,
  RunOffer,
} from "../core/model.ts";
import type { Price, Rate } from "../core/price.ts";
import type { Meter } from "../core/usage.ts";
import { endpointOf } from "./endpoint-schema.ts";
import type {
  CapabilityFacts,
  ChatModelFacts,
  ChatOfferFacts,
  ModelFacts,
  OpenModelFacts,
  ProviderFacts,
  RateFacts,
  RunModelFacts,
  RunOfferFacts,
} from "./schema.ts";

/** Cached input that a price does not name costs what fresh input costs: never free, and never refused. */
const cacheMeters: readonly Meter[] = ["cache_read_tokens", "cache_write_tokens"];

export function providerOf(facts: ProviderFacts): Provider {
  return {
    id: facts.id,
    name: facts.name,
    wire: facts.wire,
    baseUrl: facts.base_url?.replace(/\/+$/, ""),
    runBaseUrl: facts.run_base_url?.replace(/\/+$/, ""),
    auth: facts.auth === undefined ? undefined : authOf(facts.auth),
    headers: facts.headers,
    keyVariable: facts.key_variable,
    settings: Object.entries(facts.settings).map(([name, { variable, required, sandbox }]) => ({
      name,
      variable,
      isRequired: required,
      sandbox,
    })),
    trustedHosts: facts.trusted_hosts,
    keyOptional: facts.key_optional,
    accepts: facts.accepts,
    extraParameters: facts.extra_parameters,
    maxTokensField: facts.max_tokens_field,
    customTools: facts.custom_tools,
    quirks: {
      noDeveloperRole: facts.quirks.no_developer_role,
      reasoningOutsideCompletion: facts.quirks.reasoning_outside_completion,
      thinkingOutsideLimit: facts.quirks.thinking_outside_limit,
      fetchesFiles: facts.quirks.fetches_files,
      strictMessages: facts.quirks.strict_messages,
    },
    doc: facts.doc,
  };
}

function authOf(facts: NonNullable<ProviderFacts["auth"]>): ProviderAuth {
  if (facts.type !== "sigv4") return facts;
  const { access_key: accessKey, session_token: sessionToken, ...others } = facts;
  return { ...others, accessKey, sessionToken };
}

/** Offers of providers that are not in the map are left out: the caller has reported them as faults. */
export function modelOf(facts: ModelFacts, providers: ReadonlyMap<string, Provider>): Model {
  return facts.kind === "chat" ? chatModelOf(facts, providers) : runModelOf(facts, providers);
}

function anyModelOf(facts: ModelFacts) {
  return {
    id: facts.id,
    name: facts.name ?? facts.id,
    description: facts.description,
    category: facts.category,
    lifecycle: lifecycleOf(facts.lifecycle),
    aliases: facts.aliases.map(aliasOf),
    doc: facts.doc,
    asOf: facts.as_of,
  };
}

function chatModelOf(facts: ChatModelFacts, providers: ReadonlyMap<string, Provider>): ChatModel {
  return {
    ...anyModelOf(facts),
    kind: "chat",
    contextWindow: facts.context_window,
    maxOutput: facts.max_output,
    imageTokens: facts.image_tokens,
    pdfPageTokens: facts.pdf_page_tokens,
    capabilities: capabilitiesOf(facts.capabilities),
    offers: facts.offers.flatMap((offer) => offerOf(offer, providers.get(offer.provider))),
  };
}

function runModelOf(facts: RunModelFacts, providers: ReadonlyMap<string, Provider>): RunModel {
  return {
    ...anyModelOf(facts),
    kind: "run",
    inputs: closedInputs(facts.inputs),
    inputAliases: facts.input_aliases,
    example: facts.example ?? {},
    hasSideEffects: facts.side_effects,
    retail: facts.retail,
    offers: facts.offers.flatMap((offer) => runOfferOf(offer, facts.retail, providers.get(offer.provider))),
  };
}

/** What the schema does not name is refused, unless it says otherwise. */
export function closedInputs(inputs: JsonObject): JsonObject {
  return { additionalProperties: false, ...inputs };
}

function runOfferOf(facts: RunOfferFacts, retail: Price, provider: Provider | undefined): RunOffer[] {
  if (provider === undefined) return [];
  return [
    {
      provider,
      upstreamModel: facts.upstream_model,
      price: facts.price ?? retail,
      work: "engine" in facts ? { engine: facts.engine } : { endpoint: endpointOf(facts) },
    },
  ];
}

/** The model that a server with free model names is asked for. The name goes upstream exactly as it was sent. */
export function openModelOf(name: string, facts: OpenModelFacts, provider: Provider): ChatModel {
  const upstreamModel = name.slice(provider.id.length + 1);
  const price = withCacheRates(facts.price);
  return {
    id: `${provider.id}/${upstreamModel}`,
    name: upstreamModel,
    kind: "chat",
    description: `Whatever ${provider.name} serves under this name.`,
    category: "chat",
    contextWindow: facts.context_window,
    maxOutput: facts.max_output,
    imageTokens: facts.image_tokens,
    pdfPageTokens: facts.pdf_page_tokens,
    capabilities: capabilitiesOf(facts.capabilities),
    lifecycle: { state: "active", shutdown: undefined, replacement: undefined },
    offers: [{ provider, upstreamModel, price, maxTokensField: provider.maxTokensField }],
    aliases: [],
    doc: provider.doc,
  };
}

function offerOf(facts: ChatOfferFacts, provider: Provider | undefined): Offer[] {
  if (provider === undefined) return [];
  return [
    {
      provider,
      upstreamModel: facts.upstream_model,
      price: withCacheRates(facts.price),
      maxTokensField: facts.max_tokens_field ?? provider.maxTokensField,
    },
  ];
}

function withCacheRates(price: readonly RateFacts[]): Price {
  const missing = cacheMeters.filter((meter) => !price.some((rate) => rate.meter === meter));
  const input = price.filter((rate) => rate.meter === "input_tokens");
  const added = missing.flatMap((meter) => input.map((rate): Rate => ({ ...rate, meter })));
  return [...price, ...added];
}

function capabilitiesOf(facts: CapabilityFacts): Capabilities {
  const { forced_tools: forcedTools, structured_output: structuredOutput, ...others } = facts;
  return { ...others, forcedTools, structuredOutput };
}

function lifecycleOf(facts: ModelFacts["lifecycle"]): Lifecycle {
  return { state: facts.state, shutdown: facts.shutdown, replacement: facts.replacement };
}

function aliasOf(facts: ModelFacts["aliases"][number]): Alias {
  return { id: facts.id, kind: facts.kind, listed: facts.listed, note: facts.note };
}
