import { Problem } from "../../core/problems.ts";
import type { RunAnswer, RunMemory, RunStep } from "../../providers/declared/run-wire.ts";
import { GatheringFailed } from "../../providers/gather.ts";
import { problemOfFailure } from "../upstream-problems.ts";
import { askProvider } from "./ask-provider.ts";
import type { ProviderLine } from "./ask-provider.ts";
import { contextOf, holdOf } from "./driven-run.ts";
import type { DrivenRun } from "./driven-run.ts";
import { mayKnowUsAgain, ownWay, pauseOfRefusals } from "./refused-credential.ts";
import type { RunHouse } from "./run-house.ts";
import { problemOfRunFault } from "./run-problems.ts";
import { whenThere } from "./when-there.ts";

type Asking = Extract<RunStep, { state: "ask" }>;
type Done = Extract<RunStep, { state: "done" }>;

export type Followed = { readonly done: Done } | { readonly problem: Problem } | "lost";

/** The sandbox needs no patience. */
const testWaitMs = 50;
const slowWaitMs = 60_000;
const firstRetryMs = 1_000;
const longestRetryMs = 15_000;
/** A provider that has not answered by then never will. */
const giveUpMs = 24 * 3_600_000;
const leastProgress = 0.01;

/**
 * Asks again until the work is done or has definitely failed. That nobody answers, or not in time, is no verdict, nor for
 * some hours that our credential is refused: the hold stays, and it is asked again.
 */
export async function followRun(
  run: DrivenRun,
  house: RunHouse,
  { line, step: first }: { readonly line: ProviderLine; readonly step: Asking },
): Promise<Followed> {
  let step = first;
  let vain: Vain = { why: "unheard", times: 0 };
  for (;;) {
    await run.wait(waitOf(run, house, { line, afterMs: step.afterMs, vain }));
    if (run.stopped.aborted) return "lost";
    if (ageOf(run, house) > giveUpMs) return { problem: new Problem("upstream_timeout") };
    const next = await nextStep(run, house, { line, step });
    if (run.stopped.aborted) return "lost";
    vain = typeof next === "string" ? timesMore(vain, next) : { why: "unheard", times: 0 };
    if (typeof next === "string") continue;
    if (next.state === "done") return { done: next };
    if (next.state === "failed") return { problem: problemOfRunFault(next.fault) };
    if (hasNews(step, next) && !(await remember(run, house, next))) return "lost";
    // What was not told again is what was told last.
    step = { ...next, progress: next.progress ?? step.progress };
  }
}

/** Asked in vain so often in a row: what came is nothing to go by, or the provider does not know us. */
type Vain = { readonly why: "unheard" | "refused"; readonly times: number };

function timesMore({ why, times }: Vain, now: Vain["why"]): Vain {
  return { why: now, times: why === now ? times + 1 : 1 };
}

/** What the provider says now. */
async function nextStep(
  run: DrivenRun,
  house: RunHouse,
  { line, step }: { readonly line: ProviderLine; readonly step: Asking },
): Promise<RunStep | Vain["why"]> {
  const answer = await answerTo(run, house, { line, step });
  if (answer === undefined) return "unheard";
  const next = line.wire.read(contextOf(run, line, house), step.memory, answer);
  const isVerdict = next.state === "failed" && next.fault.kind !== "credential";
  const way = isVerdict ? undefined : ownWay(line, step.ask.target);
  if (way !== undefined && mayKnowUsAgain(run, house, { status: answer.status, way })) return "refused";
  const isPassing =
    next.state === "failed" && (next.fault.kind === "busy" || next.fault.kind === "unavailable");
  return isPassing ? "unheard" : next;
}

function hasNews(before: Asking, next: Asking): boolean {
  const hasMoved = next.memory.phase !== before.memory.phase || next.memory.fetch !== before.memory.fetch;
  return hasMoved || (next.progress ?? 0) - (before.progress ?? 0) >= leastProgress;
}

function ageOf(run: DrivenRun, house: RunHouse): number {
  return house.clock.now() - run.row.created_at.getTime();
}

/** What was learnt is kept before it is acted on: another process goes on from here. */
export function remember(run: DrivenRun, house: RunHouse, step: Asking): Promise<boolean> {
  const state = stateOf(step.memory);
  const progress = step.progress === undefined ? {} : { progress: step.progress };
  const event = { kind: state === "waiting" ? "progress" : state, data: progress };
  return whenThere(run, house, () =>
    house.store.change(holdOf(run), { state, memory: step.memory, ...progress }, event),
  );
}

export function stateOf(memory: RunMemory): "waiting" | "fetching" {
  return memory.phase === "fetch" ? "fetching" : "waiting";
}

async function answerTo(
  run: DrivenRun,
  house: RunHouse,
  { line, step }: { readonly line: ProviderLine; readonly step: Asking },
): Promise<RunAnswer | undefined> {
  try {
    return await askProvider(line, step.ask, { ...house, signal: run.stopped });
  } catch (error) {
    // An address that may not be fetched is a verdict, and so is more than is ever read: asking again changes neither.
    if (error instanceof Problem && !run.stopped.aborted) throw error;
    if (error instanceof GatheringFailed && error.failure.kind === "too_large")
      throw problemOfFailure(error.failure);
    house.log.warn({ run_id: run.row.id, err: error }, "a run's provider could not be asked");
    return undefined;
  }
}

type Pace = { readonly line: ProviderLine; readonly afterMs: number; readonly vain: Vain };

function waitOf(run: DrivenRun, house: RunHouse, { line, afterMs, vain }: Pace): number {
  const { why, times } = vain;
  if (times > 0 && why === "refused") return pauseOfRefusals(times);
  if (times > 0) return Math.min(firstRetryMs * 2 ** (times - 1), longestRetryMs);
  if (run.row.mode === "test") return Math.min(afterMs, testWaitMs);
  return ageOf(run, house) > line.patienceMs ? Math.max(afterMs, slowWaitMs) : afterMs;
}
