import { Problem } from "../../core/problems.ts";
import { offerKey } from "../../routing/rank.ts";
import { askProvider } from "./ask-provider.ts";
import { contextOf, isMemory, servedOffers } from "./driven-run.ts";
import type { DrivenRun } from "./driven-run.ts";
import type { RunHouse } from "./run-house.ts";
import type { RunKeeper } from "./run-keeper.ts";
import type { RunRow, SeenRun } from "./run-store.ts";
import { decide, settle } from "./settle-run.ts";

const cancelTimeoutMs = 10_000;

/**
 * Calls a run off that waits at its provider, or that an engine of ours works on: nothing is charged. One that is over
 * stays as it ended; one that is being submitted or settled cannot be called off any more.
 */
export async function cancelRun(row: SeenRun, house: RunHouse, keeper: RunKeeper): Promise<SeenRun> {
  if (row.state === "over") return row;
  const canceled = await keeper.takeOver(row.id, ["waiting", "fetching"], (taken) => end(taken, house));
  if (canceled !== undefined) return canceled;
  const now = await house.store.read(row.id);
  if (now?.state === "over") return now;
  throw new Problem("conflict", { message: tooLate(row) });
}

async function end(taken: RunRow, house: RunHouse): Promise<SeenRun> {
  const run = withoutDriver(taken, house);
  await callOff(run, house);
  await decide(run, house, { problem: new Problem("canceled"), ending: "canceled" });
  const decided = await house.store.read(taken.id);
  if (decided?.state === "settling") return (await settle(decided, house)).row;
  return decided ?? taken;
}

function tooLate({ id }: SeenRun): string {
  return `This run was handed to its provider already and cannot be called off now. Its result will be at GET /v1/job/${id}.`;
}

function withoutDriver(row: RunRow, house: RunHouse): DrivenRun {
  const found = house.catalog.find(row.model_id);
  if (found?.model.kind !== "run")
    throw new Problem("conflict", { message: "The model of this run is gone." });
  const { model } = found;
  return {
    row,
    model,
    offers: servedOffers(model, row.mode, house),
    mayFallBack: false,
    made: [],
    stopped: AbortSignal.timeout(cancelTimeoutMs),
    taken: () => undefined,
    wait: () => Promise.resolve(),
  };
}

/** The provider is asked to stop, where it can; that it does not answer changes nothing for the customer. */
async function callOff(run: DrivenRun, house: RunHouse): Promise<void> {
  const offer = run.offers.find((one) => offerKey(one) === run.row.offer);
  if (offer === undefined || !("wire" in offer.line)) return;
  const { memory } = run.row;
  if (!isMemory(memory)) return;
  const { line } = offer;
  const ask = line.wire.cancel(contextOf(run, line, house), memory);
  if (ask === undefined) return;
  try {
    await askProvider(line, ask, { ...house, signal: run.stopped });
  } catch (error) {
    house.log.warn({ run_id: run.row.id, err: error }, "a canceled run's provider could not be told");
  }
}
