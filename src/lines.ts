import type { Line } from "./calls/chat-house.ts";
import { providerVariable } from "./config.ts";
import type { Config } from "./config.ts";
import type { Mode } from "./core/caller.ts";
import type { Model, Offer, Provider } from "./core/model.ts";
import { chatWires } from "./providers/registry.ts";
import type { Connection } from "./providers/upstream.ts";
import type { Target } from "./providers/wire.ts";

export type Lines = {
  lineTo(offer: Offer, model: Model, mode: Mode): Line | undefined;
  /** Whether live calls can reach the provider. */
  isConfigured(provider: Provider): boolean;
  variableFor(offer: Offer): string;
};

/**
 * Joins offers to the code, address and credential that serve them: live calls to the configured providers, test calls to
 * the sandbox, never the other way round.
 */
export function linesOf(config: Config, sandboxUrl: string): Lines {
  const remembered = {
    live: new WeakMap<Offer, Line | undefined>(),
    test: new WeakMap<Offer, Line | undefined>(),
  };
  const make = (offer: Offer, model: Model, mode: Mode): Line | undefined => {
    const wire = chatWires.get(offer.provider.wire);
    const connection =
      mode === "test"
        ? sandboxConnection(offer.provider, sandboxUrl)
        : liveConnection(offer.provider, config);
    if (wire === undefined || connection === undefined) return undefined;
    return { wire, connection, target: targetOf(offer, model) };
  };
  return {
    lineTo(offer, model, mode) {
      const known = remembered[mode];
      if (!known.has(offer)) known.set(offer, make(offer, model, mode));
      return known.get(offer);
    },
    isConfigured: (provider) => liveConnection(provider, config) !== undefined,
    variableFor: ({ provider }) =>
      providerVariable(provider.id, provider.keyOptional === true ? "BASE_URL" : "API_KEY"),
  };
}

function liveConnection(provider: Provider, config: Config): Connection | undefined {
  const { apiKey, baseUrl = provider.baseUrl } = config.provider(provider.id);
  if (baseUrl === undefined || (apiKey === undefined && provider.keyOptional !== true)) return undefined;
  return { baseUrl: withoutVersion(baseUrl, provider), credential: credentialOf(provider, apiKey) };
}

function sandboxConnection(provider: Provider, sandboxUrl: string): Connection {
  const path = provider.wire === "anthropic-messages" ? provider.id : `${provider.id}/v1`;
  return { baseUrl: `${sandboxUrl}/${path}`, credential: credentialOf(provider, "sandbox") };
}

/** Anthropic's own SDKs take the address without its version; people paste it with. */
function withoutVersion(baseUrl: string, provider: Provider): string {
  const trimmed = baseUrl.replace(/\/+$/, "");
  return provider.wire === "anthropic-messages" ? trimmed.replace(/\/v1$/, "") : trimmed;
}

function credentialOf({ auth }: Provider, apiKey: string | undefined): Connection["credential"] {
  return auth === undefined || apiKey === undefined
    ? undefined
    : { header: auth.header, value: auth.prefix + apiKey };
}

function targetOf(offer: Offer, model: Model): Target {
  const { provider } = offer;
  return {
    upstreamModel: offer.upstreamModel,
    maxTokensField: offer.maxTokensField,
    maxOutput: model.maxOutput,
    accepts: provider.accepts === undefined ? undefined : new Set(provider.accepts),
    extraParameters: new Set(provider.extraParameters),
    capabilities: model.capabilities,
    quirks: provider.quirks,
  };
}
