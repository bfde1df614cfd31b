import type { Health } from "./health.ts";

/** What an offer is known by here: chats and runs alike. */
export type AnyOffer = { readonly provider: { readonly id: string }; readonly upstreamModel: string };

/** Names an offer in health and receipts: `openrouter/openai/gpt-4o-mini`. */
export function offerKey(offer: AnyOffer): string {
  return `${offer.provider.id}/${offer.upstreamModel}`;
}

/**
 * The offers to try, in order: the catalog's order, then the first of those that rest, for when all others fail. The
 * rest are left alone: an outage of every provider is asked about once per call, not once per offer.
 */
export function rank<Offer extends AnyOffer>(offers: readonly Offer[], health: Health): readonly Offer[] {
  const isResting = (offer: Offer): boolean => health.resting(offerKey(offer));
  if (!offers.some(isResting)) return offers;
  return [...offers.filter((offer) => !isResting(offer)), ...offers.filter(isResting).slice(0, 1)];
}
