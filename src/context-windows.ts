import type { Catalog } from "./catalog/catalog.ts";

/** How many tokens a provider's model takes, by the provider's id and its own name for the model. */
export type ContextWindows = (provider: string, upstreamModel: string) => number | undefined;

export function contextWindowsOf(catalog: Catalog): ContextWindows {
  const windows = new Map<string, number>();
  for (const model of catalog.models) {
    if (model.kind !== "chat") continue;
    for (const { provider, upstreamModel } of model.offers) {
      const key = `${provider.id} ${upstreamModel}`;
      windows.set(key, Math.max(model.contextWindow, windows.get(key) ?? 0));
    }
  }
  return (provider, upstreamModel) => windows.get(`${provider} ${upstreamModel}`);
}
