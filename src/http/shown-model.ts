import type { Found } from "../catalog/catalog.ts";
import type { Mode } from "../core/caller.ts";
import { formatCredits } from "../core/credits.ts";
import type { Alias, ChatModel, Model, Offer, RunModel, RunOffer } from "../core/model.ts";
import { costOf } from "../core/price.ts";
import type { Price, Rate } from "../core/price.ts";

export type ShowingHouse = {
  readonly creditUsd: string;
  /** Whether a call of this mode could be served: the same for as long as this process lives. */
  readonly isServed: (offer: Offer, model: ChatModel, mode: Mode) => boolean;
  readonly isRunServed: (offer: RunOffer, mode: Mode) => boolean;
};

/** `url` is the address under which the customer reached us. */
export type Beholder = { readonly mode: Mode; readonly url: string };

/** As `GET /v1/models` tells it to keys of one mode that reached us at `url`. */
export function shownModel({ model, alias }: Found, house: ShowingHouse, { mode, url }: Beholder) {
  const served = servedOffers(model, house, mode);
  const price = priceOf(model, served);
  const id = alias?.id ?? model.id;
  return {
    id,
    model_id: id,
    object: "model",
    created: createdOf(model),
    owned_by: model.id.split("/")[0] ?? model.id,
    type: model.category,
    name: model.name,
    display_name: model.name,
    description: model.description,
    ...aliasMembers(model, alias),
    ...(model.kind === "chat" ? chatMembers(model) : runMembers(model)),
    available: served.length > 0,
    providers: model.offers.map((one) => one.provider.id),
    prices: price.map((rate) => shownRate(rate, house.creditUsd)),
    pricing: flatPricing(price),
    lifecycle: {
      state: model.lifecycle.state,
      shutdown: model.lifecycle.shutdown ?? null,
      replacement: model.lifecycle.replacement ?? null,
    },
    doc: hasOwnPage(model) ? url + (model.doc ?? "") : (model.doc ?? null),
  };
}

/** Seconds since 1970 of the day that our facts of it are from: providers do not tell when they made it. */
function createdOf({ asOf }: Model): number {
  return asOf === undefined ? 0 : Date.parse(asOf) / 1000;
}

/** What it costs where it is served first; of a model that nobody serves, where it would be. */
function priceOf(model: Model, served: readonly (Offer | RunOffer)[]): Price {
  const [offer = model.offers[0]] = served;
  return offer?.price ?? (model.kind === "run" ? model.retail : []);
}

function servedOffers(model: Model, house: ShowingHouse, mode: Mode): readonly (Offer | RunOffer)[] {
  return model.kind === "chat"
    ? model.offers.filter((offer) => house.isServed(offer, model, mode))
    : model.offers.filter((offer) => house.isRunServed(offer, mode));
}

function chatMembers(model: ChatModel) {
  return {
    context_window: model.contextWindow,
    max_output: model.maxOutput,
    capabilities: {
      streaming: true,
      tools: model.capabilities.tools,
      forced_tools: model.capabilities.tools && model.capabilities.forcedTools,
      vision: model.capabilities.vision,
      pdf: model.capabilities.pdf,
      reasoning: model.capabilities.reasoning,
      structured_output: model.capabilities.structuredOutput,
    },
  };
}

function runMembers(model: RunModel) {
  return { context_window: 0, max_output: 0, capabilities: { streaming: false }, input_schema: model.inputs };
}

function aliasMembers(model: Model, alias: Alias | undefined) {
  if (alias === undefined) return { aliases: model.aliases.map((one) => one.id) };
  return {
    alias_of: model.id,
    alias_kind: alias.kind,
    ...(alias.note === undefined ? {} : { note: alias.note }),
  };
}

function shownRate(rate: Rate, creditUsd: string) {
  const credits = costOf(
    [{ meter: rate.meter, per: rate.per, usd: rate.usd }],
    { [rate.meter]: rate.per },
    creditUsd,
  );
  return {
    meter: rate.meter,
    per: rate.per,
    usd: rate.usd,
    credits: formatCredits(credits),
    ...(rate.when === undefined ? {} : { when: rate.when }),
  };
}

/** Label → USD: the flat map that known clients print. */
function flatPricing(price: Price): Record<string, number> {
  const usual = price.filter((rate) => rate.when === undefined);
  return Object.fromEntries(
    usual.map((rate) => [
      rate.per === 1 ? `${rate.meter}_usd` : `${rate.meter}_per_${rate.per}_usd`,
      Number(rate.usd),
    ]),
  );
}

/** Its page is one of ours, so that what is shown of it depends on where we were reached. */
export function hasOwnPage({ doc }: Model): boolean {
  return doc?.startsWith("/") === true;
}
