import { z } from "zod";
import type { JsonObject } from "../../core/json-object.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { RunModel, RunOffer } from "../../core/model.ts";
import type { Price } from "../../core/price.ts";
import { meters } from "../../core/usage.ts";
import type { RunContext, RunMemory } from "../../providers/declared/run-wire.ts";
import { offerKey } from "../../routing/rank.ts";
import type { SandboxOrders } from "../sandbox-orders.ts";
import type { LiveSound } from "./live-sound.ts";
import type { RunHouse, RunLine } from "./run-house.ts";
import type { Hold, RunRow } from "./run-store.ts";

/** An offer that can be asked now, and what does its work. */
export type ServedOffer = RunOffer & { readonly line: RunLine };

/** A run in the hands of this process. */
export type DrivenRun = {
  readonly row: RunRow;
  readonly model: RunModel;
  readonly offers: readonly ServedOffer[];
  /** False: the customer wants this offer or none. */
  readonly mayFallBack: boolean;
  /** For a customer who listens while the provider speaks. */
  readonly live?: LiveSound | undefined;
  /** For the submission: a job remembers them by itself. */
  readonly orders?: SandboxOrders | undefined;
  /** Aborted when the run is canceled, taken over, or this process stops. */
  readonly stopped: AbortSignal;
  /** The ids of the files that were stored for it, as they are stored. */
  readonly made: string[];
  /** The submission is over, whatever came of it, and written down. */
  readonly taken: () => void;
  /** Resolves after the time, or earlier when somebody knows that there is news. */
  readonly wait: (ms: number) => Promise<void>;
};

export function holdOf({ row }: DrivenRun): Hold {
  return { id: row.id, claim: row.claim };
}

export function inputsOf({ row }: DrivenRun): JsonObject {
  return isJsonObject(row.inputs) ? row.inputs : {};
}

/** What the offer's translator is told. */
export function contextOf(run: DrivenRun, line: RunLine, house: RunHouse): RunContext {
  // The sandbox has no need to call.
  const webhookUrl = run.row.mode === "live" ? house.newsUrlOf(run.row.id) : undefined;
  return {
    inputs: inputsOf(run),
    env: "env" in line ? line.env : {},
    run: { id: run.row.id, webhookUrl },
  };
}

/** A member that is not named here is dropped, and a rate without its condition is another rate. */
const frozenRate = z.object({
  meter: z.enum(meters),
  per: z.number(),
  usd: z.string(),
  when: z.object({ input_tokens_gt: z.number().exactOptional() }).exactOptional(),
});
const frozenPrices = z.record(z.string(), z.array(frozenRate));

/** The offer's rates as they were when the credits were held. */
export function frozenPrice(run: DrivenRun, offer: RunOffer): Price {
  return frozenPrices.parse(run.row.price)[offerKey(offer)] ?? offer.price;
}

/** The offers of a model that can be asked in this mode, in the catalog's order. */
export function servedOffers(model: RunModel, mode: RunRow["mode"], house: RunHouse): ServedOffer[] {
  return model.offers.flatMap((offer) => {
    const line = house.lineTo(offer, mode);
    return line === undefined ? [] : [{ ...offer, line }];
  });
}

/** What the answers said so far, as we wrote it ourselves. */
export function isMemory(value: unknown): value is RunMemory {
  return typeof value === "object" && value !== null && "phase" in value;
}
