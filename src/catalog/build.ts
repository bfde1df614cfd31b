import type { Alias, Capabilities, Lifecycle, Model, Offer, Provider } from "../core/model.ts";
import type { Price, Rate } from "../core/price.ts";
import type { Meter } from "../core/usage.ts";
import type {
  CapabilityFacts,
  ModelFacts,
  OfferFacts,
  OpenModelFacts,
  ProviderFacts,
  RateFacts,
} from "./schema.ts";

/** Cached input that a price does not name costs what fresh input costs: never free, and never refused. */
const cacheMeters: readonly Meter[] = ["cache_read_tokens", "cache_write_tokens"];

export function providerOf(facts: ProviderFacts): Provider {
  return {
    id: facts.id,
    name: facts.name,
    wire: facts.wire,
    baseUrl: facts.base_url?.replace(/\/+$/, ""),
    auth: facts.auth,
    keyOptional: facts.key_optional,
    accepts: facts.accepts,
    extraParameters: facts.extra_parameters,
    maxTokensField: facts.max_tokens_field,
    quirks: {
      noDeveloperRole: facts.quirks.no_developer_role,
      reasoningOutsideCompletion: facts.quirks.reasoning_outside_completion,
    },
    doc: facts.doc,
  };
}

/** Offers of providers that are not in the map are left out: the caller has reported them as faults. */
export function modelOf(facts: ModelFacts, providers: ReadonlyMap<string, Provider>): Model {
  const offers = facts.offers.flatMap((offer) => offerOf(offer, providers.get(offer.provider)));
  return {
    id: facts.id,
    name: facts.name ?? facts.id,
    kind: facts.kind,
    description: facts.description,
    category: facts.category ?? facts.kind,
    contextWindow: facts.context_window ?? 0,
    maxOutput: facts.max_output ?? 0,
    imageTokens: facts.image_tokens,
    capabilities: capabilitiesOf(facts.capabilities),
    lifecycle: lifecycleOf(facts.lifecycle),
    offers,
    ...(facts.retail === undefined ? {} : { retail: facts.retail }),
    aliases: facts.aliases.map(aliasOf),
    doc: facts.doc,
  };
}

/** The model that a server with free model names is asked for. The name goes upstream exactly as it was sent. */
export function openModelOf(name: string, facts: OpenModelFacts, provider: Provider): Model {
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
    capabilities: capabilitiesOf(facts.capabilities),
    lifecycle: { state: "active", shutdown: undefined, replacement: undefined },
    offers: [{ provider, upstreamModel, price, maxTokensField: provider.maxTokensField }],
    aliases: [],
    doc: provider.doc,
  };
}

function offerOf(facts: OfferFacts, provider: Provider | undefined): Offer[] {
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
  const { structured_output: structuredOutput, ...others } = facts;
  return { ...others, structuredOutput };
}

function lifecycleOf(facts: ModelFacts["lifecycle"]): Lifecycle {
  return { state: facts.state, shutdown: facts.shutdown, replacement: facts.replacement };
}

function aliasOf(facts: ModelFacts["aliases"][number]): Alias {
  return { id: facts.id, kind: facts.kind, listed: facts.listed, note: facts.note };
}
