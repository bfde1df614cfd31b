/**
 * The whole story of a run once its credits are held: ask the offers → wait while the provider works → fetch the result
 * → store its files → settle, durably → over. Every step is written down before it is acted on, so that another process
 * can go on from the last one. A submission is never repeated on a guess.
 */
import { Problem } from "../../core/problems.ts";
import { cannotWriteNow } from "../../ledger/ledger-statements.ts";
import type { RunStep } from "../../providers/declared/run-wire.ts";
import { offerKey } from "../../routing/rank.ts";
import { contextOf, holdOf, isMemory } from "./driven-run.ts";
import type { DrivenRun, ServedOffer } from "./driven-run.ts";
import { followRun, stateOf } from "./follow-run.ts";
import type { RunHouse } from "./run-house.ts";
import { unknownOutcome } from "./run-problems.ts";
import { decide, settle } from "./settle-run.ts";
import type { Failure, Result } from "./settle-run.ts";
import { forgetUnshown, storeOutput, TooLargeToKeep } from "./store-output.ts";
import { submitRun } from "./submit-run.ts";
import { whenThere } from "./when-there.ts";

type Done = Extract<RunStep, { state: "done" }>;
type Asking = Extract<RunStep, { state: "ask" }>;
type Outcome = Result | Failure | "lost";

/** Resolves when the run is over or no longer ours. */
export async function driveRun(run: DrivenRun, house: RunHouse): Promise<void> {
  const isDecided = run.row.state === "settling" || (await isDecidedHere(run, house));
  if (isDecided) run.taken();
  if (!isDecided && run.made.length === 0) return;
  await whenThere(run, house, async () => {
    const now = await house.store.read(run.row.id);
    if (isDecided && now?.state === "settling") await settle(now, house);
    await forgetUnshown(run, house, now?.output);
  });
}

async function isDecidedHere(run: DrivenRun, house: RunHouse): Promise<boolean> {
  const outcome = await outcomeOf(run, house).catch((error: unknown): Outcome => failed(run, house, error));
  if (outcome === "lost" || run.stopped.aborted) return false;
  return written(run, house, outcome);
}

/** A result that the database refuses is refused each time: the run has failed, and is told so now. */
async function written(run: DrivenRun, house: RunHouse, outcome: Result | Failure): Promise<boolean> {
  try {
    return await whenThere(run, house, () => decide(run, house, outcome));
  } catch (error) {
    if (cannotWriteNow(error) || "problem" in outcome) throw error;
    house.log.error({ run_id: run.row.id, err: error }, "a run's result could not be written");
    const problem = new Problem("internal_error", { cause: error });
    return decide(run, house, { problem, attempts: outcome.attempts });
  }
}

function failed(run: DrivenRun, house: RunHouse, error: unknown): Outcome {
  if (run.stopped.aborted) return "lost";
  const problem = error instanceof Problem ? error : new Problem("internal_error", { cause: error });
  logFailedRun(run, house, { problem, offer: undefined });
  return { problem };
}

type FailedRun = { readonly problem: Problem; readonly offer: ServedOffer | undefined };

/** One line for the operator, who finds a run by its id or by that of its request. */
function logFailedRun({ row }: DrivenRun, { log }: RunHouse, { problem, offer }: FailedRun): void {
  const fields = {
    request_id: row.id.replace("run_", "req_"),
    run_id: row.id,
    model: row.model_id,
    offer: offer === undefined ? row.offer : offerKey(offer),
    code: problem.code,
    cause: problem.cause,
  };
  if (problem.code === "internal_error") log.error(fields, "a run failed");
  else log.warn(fields, "a run failed");
}

function outcomeOf(run: DrivenRun, house: RunHouse): Promise<Outcome> {
  return run.row.memory === null && run.row.claim === 1n ? begin(run, house) : goOn(run, house);
}

async function begin(run: DrivenRun, house: RunHouse): Promise<Outcome> {
  const { offer, attempts, outcome } = await submitRun(run, house);
  if ("problem" in outcome) {
    logFailedRun(run, house, { problem: outcome.problem, offer });
    return { problem: outcome.problem, attempts };
  }
  const step = outcome.answer;
  if (step.state === "done") return finished(run, house, { offer, step, attempts });
  const { memory } = step;
  const change = { state: stateOf(memory), offer: offerKey(offer), memory, attempts } as const;
  const isOurs = await whenThere(run, house, () =>
    house.store.change(holdOf(run), change, { kind: "accepted", data: {} }),
  );
  run.taken();
  return isOurs ? follow(run, house, { offer, step, attempts }) : "lost";
}

/** After a process died: what it had sent is not sent again. */
async function goOn(run: DrivenRun, house: RunHouse): Promise<Outcome> {
  const { row } = run;
  if (isByEngine(run)) return { problem: interrupted(run) };
  if (row.state === "submitting") return { problem: unknownOutcome("the process died while it submitted") };
  const offer = run.offers.find((one) => offerKey(one) === row.offer);
  const { memory } = row;
  if (offer === undefined || !("wire" in offer.line) || !isMemory(memory))
    return { problem: unknownOutcome("the offer that has this run is gone") };
  const ask = offer.line.wire.again(contextOf(run, offer.line, house), memory);
  if (ask === undefined) return { problem: unknownOutcome("nothing to go on from") };
  const step: Asking = { state: "ask", ask, memory, afterMs: 0, progress: row.progress ?? undefined };
  return follow(run, house, { offer, step, attempts: row.attempts });
}

function isByEngine({ row, model }: DrivenRun): boolean {
  return model.offers.some(({ work, ...offer }) => offerKey(offer) === row.offer && "engine" in work);
}

/** Work of ours leaves nothing behind that could be gone on from. */
function interrupted({ model }: DrivenRun): Problem {
  if (model.hasSideEffects) return unknownOutcome("the process died while an engine worked");
  return new Problem("internal_error", {
    message: "The server that did this stopped before it was done. Nothing was charged: ask again.",
  });
}

type Taken<Step> = { readonly offer: ServedOffer; readonly step: Step; readonly attempts: number };

async function follow(run: DrivenRun, house: RunHouse, taken: Taken<Asking>): Promise<Outcome> {
  const { offer, step, attempts } = taken;
  if (!("wire" in offer.line)) throw new Error("an engine has nothing to ask again");
  const followed = await followRun(run, house, { line: offer.line, step });
  if (followed === "lost") return "lost";
  if ("problem" in followed) {
    logFailedRun(run, house, { problem: followed.problem, offer });
    return { problem: followed.problem, attempts };
  }
  return finished(run, house, { offer, step: followed.done, attempts });
}

const heardOnly =
  "The sound was sent while it was made. It is larger than this plan's files may be, and not kept.";

async function finished(run: DrivenRun, house: RunHouse, taken: Taken<Done>): Promise<Outcome> {
  const { offer, step, attempts } = taken;
  const output = await storeOutput(run, house, { output: step.output, offer }).catch((error: unknown) => {
    // Whoever heard it has it, and pays for it.
    if (error instanceof TooLargeToKeep && run.live?.wasBegun === true) return { note: heardOnly };
    throw error;
  });
  const { usage, estimated, isEmpty } = step;
  return { offer, output, usage, estimated, isEmpty, attempts };
}
