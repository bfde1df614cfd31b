import type { Credits } from "../../core/credits.ts";
import { costOf } from "../../core/price.ts";
import type { Price } from "../../core/price.ts";
import type { Usage } from "../../core/usage.ts";
import { offerKey } from "../../routing/rank.ts";
import type { RunContext } from "../../providers/declared/run-wire.ts";
import type { ServedOffer } from "./driven-run.ts";

/** The cost of the largest usage that these inputs may reach, at the dearest offer. */
export function quoteRun(
  offers: readonly ServedOffer[],
  context: Pick<RunContext, "inputs" | "run">,
  creditUsd: string,
): Credits {
  let most = 0n;
  for (const offer of offers) {
    const cost = costOf(offer.price, largestUsage(offer, context), creditUsd);
    if (cost > most) most = cost;
  }
  return most;
}

function largestUsage({ line, price }: ServedOffer, context: Pick<RunContext, "inputs" | "run">): Usage {
  if ("wire" in line) return line.wire.reserve({ ...context, env: line.env });
  // An engine is free unless the operator prices it, and then one of each is what it usually takes.
  return Object.fromEntries(price.map((rate) => [rate.meter, 1]));
}

/** The rates that stay in force to the end of the run, by offer. */
export function pricesOf(offers: readonly ServedOffer[]): Readonly<Record<string, Price>> {
  return Object.fromEntries(offers.map((offer) => [offerKey(offer), offer.price]));
}
