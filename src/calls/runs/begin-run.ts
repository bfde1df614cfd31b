import type { Caller } from "../../core/caller.ts";
import type { Credits } from "../../core/credits.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { RunModel } from "../../core/model.ts";
import { Problem } from "../../core/problems.ts";
import { cannotWriteNow } from "../../ledger/ledger-statements.ts";
import type { Ticket } from "../../limits/limits.ts";
import { admitted } from "../admission.ts";
import { findModel } from "../find-model.ts";
import type { SandboxOrders } from "../sandbox-orders.ts";
import { InsufficientBalance } from "../hold.ts";
import { servedOffers } from "./driven-run.ts";
import type { ServedOffer } from "./driven-run.ts";
import type { LiveSound } from "./live-sound.ts";
import { readInputs } from "./run-inputs.ts";
import type { RunHouse } from "./run-house.ts";
import type { RunKeeper } from "./run-keeper.ts";
import { pricesOf, quoteRun } from "./run-quote.ts";
import type { RunRow } from "./run-store.ts";

/** What the door read and settled before the run begins. */
export type RunAsked = {
  /** `run_…` and `call_…` share their digits with the request. */
  readonly runId: string;
  readonly callId: string;
  readonly caller: Caller;
  readonly model: string;
  readonly inputs: JsonObject;
  /** False: no other offer is tried when the first does not take it. */
  readonly mayFallBack: boolean;
  readonly webhookUrl: string | undefined;
  /** Where the customer reached us. */
  readonly publicUrl: string;
  readonly orders: SandboxOrders | undefined;
  /** What a customer listens to who wants the sound while it is made. */
  readonly live?: LiveSound | undefined;
};

export type Begun = {
  readonly row: RunRow;
  readonly ticket: Ticket;
  /** The balance right after the hold. */
  readonly available: Credits;
  /** Resolves when the run is over or no longer driven here. */
  readonly over: Promise<void>;
};

/**
 * Checks, admits, holds and begins. From then on the run lives by itself. Throws the problem that the customer reads;
 * what is refused here uses up neither credits nor the minute.
 */
export async function beginRun(asked: RunAsked, house: RunHouse, keeper: RunKeeper): Promise<Begun> {
  if (house.openCalls.isClosed) throw new Problem("shutting_down");
  const { caller } = asked;
  const { model } = findModel(asked.model, caller, house.catalog);
  if (model.kind !== "run") throw new Problem("internal_error", { cause: "a chat came to the runs" });
  const offers = offersFor(model, asked, house);
  const inputs = readInputs(model, asked.inputs);
  const webhookUrl = asked.webhookUrl === undefined ? undefined : checkedUrl(asked.webhookUrl, house);
  const ticket = admitted(await house.limiter.enter(caller.keyId, caller.limits));
  try {
    const { row, available } = await open({ asked: { ...asked, webhookUrl }, model, offers, inputs }, house);
    const mayFallBack = asked.mayFallBack && !model.hasSideEffects;
    const over = keeper
      .drive({ row, model, offers, mayFallBack, live: asked.live, orders: asked.orders })
      .finally(() => ticket.leave());
    return { row, ticket, available, over };
  } catch (error) {
    ticket.withdraw();
    throw error;
  }
}

/** In its usual spelling, so that one receiver is known as one. */
function checkedUrl(url: string, house: RunHouse): string {
  try {
    house.egress.check(url);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.code, { message: error.message, param: "webhook", cause: error });
  }
  return new URL(url).href;
}

function offersFor(model: RunModel, asked: RunAsked, house: RunHouse): readonly ServedOffer[] {
  const offers = servedOffers(model, asked.caller.mode, house);
  // This one or none, also while it rests from a failure.
  if (offers.length > 0) return asked.mayFallBack ? offers : offers.slice(0, 1);
  // Whatever the operator sets, nobody plays such a provider.
  if (asked.caller.mode === "test" && model.offers.length > 0)
    throw new Problem("provider_not_configured", {
      message: `${asked.model} has no emulator: test keys cannot call it, live keys can.`,
    });
  const remedies = model.offers.map((offer) => house.remedyFor(offer));
  const remedy = remedies.length > 0 ? ` The operator can: ${remedies.join("; or ")}.` : "";
  const isPlayed = servedOffers(model, "test", house).length > 0;
  throw new Problem("provider_not_configured", {
    message: `Nobody serves ${asked.model} here.${remedy}${isPlayed ? " A test key works without." : ""}`,
    retryAfterSeconds: 60,
  });
}

type Opening = {
  readonly asked: RunAsked;
  readonly model: RunModel;
  readonly offers: readonly ServedOffer[];
  readonly inputs: JsonObject;
};

/** The hold first: should this process die before the row is there, the hold is released like that of any call. */
async function open(
  { asked, model, offers, inputs }: Opening,
  house: RunHouse,
): Promise<{ readonly row: RunRow; readonly available: Credits }> {
  const { caller, callId } = asked;
  const run = { id: asked.runId, webhookUrl: undefined };
  const amount = quoteRun(offers, { inputs, run }, house.creditUsd);
  const answer = await house.ledger.hold({
    callId,
    accountId: caller.accountId,
    keyId: caller.keyId,
    mode: caller.mode,
    model: asked.model,
    catalogVersion: house.catalog.version,
    amount,
    minimum: amount,
  });
  if (answer.held === undefined) throw new InsufficientBalance(amount, answer.available);
  try {
    const row = await house.store.insert({
      id: asked.runId,
      callId,
      accountId: caller.accountId,
      keyId: caller.keyId,
      mode: caller.mode,
      plan: caller.plan,
      model: asked.model,
      modelId: model.id,
      category: model.category,
      inputs,
      price: pricesOf(offers),
      creditUsd: house.creditUsd,
      webhookUrl: asked.webhookUrl,
      publicUrl: asked.publicUrl,
    });
    return { row, available: answer.available };
  } catch (error) {
    await release({ asked, model, offers, inputs }, house);
    // Who begins several runs goes on to tell what became of those before.
    if (cannotWriteNow(error))
      throw new Problem("service_unavailable", { retryAfterSeconds: 1, cause: error });
    throw error;
  }
}

async function release({ asked }: Opening, house: RunHouse): Promise<void> {
  const { caller, callId } = asked;
  const now = house.clock.now();
  await house.ledger.close({
    callId,
    accountId: caller.accountId,
    keyId: caller.keyId,
    mode: caller.mode,
    model: asked.model,
    servedBy: "",
    usage: {},
    estimated: false,
    cost: 0n,
    ending: "failed",
    problem: "service_unavailable",
    attempts: 0,
    startedAt: now,
    endedAt: now,
  });
}
