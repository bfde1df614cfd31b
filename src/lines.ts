import type { Line } from "./calls/chat-house.ts";
import type { Config } from "./config.ts";
import type { Mode } from "./core/caller.ts";
import type { ChatModel, Offer, Provider } from "./core/model.ts";
import { liveAccess, missingVariables, sandboxAccess } from "./provider-access.ts";
import { chatWires } from "./providers/registry.ts";
import type { Connection } from "./providers/upstream.ts";
import type { Target } from "./providers/wire.ts";

export type Lines = {
  lineTo(offer: Offer, model: ChatModel, mode: Mode): Line | undefined;
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
  const make = (offer: Offer, model: ChatModel, mode: Mode): Line | undefined => {
    const { provider } = offer;
    const wire = chatWires.get(provider.wire ?? "");
    const connection =
      mode === "test" ? sandboxConnection(provider, sandboxUrl) : liveConnection(provider, config);
    if (wire === undefined || connection === undefined) return undefined;
    return { wire, connection, target: targetOf(offer, model) };
  };
  return {
    lineTo(offer, model, mode) {
      const known = remembered[mode];
      if (!known.has(offer)) known.set(offer, make(offer, model, mode));
      return known.get(offer);
    },
    isConfigured: (provider) => missingVariables(provider, config).length === 0,
    variableFor: ({ provider }) => missingVariables(provider, config).join(" and "),
  };
}

function liveConnection(provider: Provider, config: Config): Connection | undefined {
  const connection = liveAccess(provider, config, "chat")?.connection;
  return connection && { ...connection, baseUrl: withoutVersion(connection.baseUrl, provider) };
}

function sandboxConnection(provider: Provider, sandboxUrl: string): Connection {
  const path = provider.wire === "anthropic-messages" ? provider.id : `${provider.id}/v1`;
  return sandboxAccess(provider, `${sandboxUrl}/${path}`).connection;
}

/** Anthropic's own SDKs take the address without its version; people paste it with. */
function withoutVersion(baseUrl: string, provider: Provider): string {
  return provider.wire === "anthropic-messages" ? baseUrl.replace(/\/v1$/, "") : baseUrl;
}

function targetOf(offer: Offer, model: ChatModel): Target {
  const { provider } = offer;
  return {
    upstreamModel: offer.upstreamModel,
    maxTokensField: offer.maxTokensField,
    maxOutput: model.maxOutput,
    accepts: provider.accepts === undefined ? undefined : new Set(provider.accepts),
    extraParameters: new Set(provider.extraParameters),
    customTools: provider.customTools === true,
    capabilities: model.capabilities,
    quirks: provider.quirks,
  };
}
