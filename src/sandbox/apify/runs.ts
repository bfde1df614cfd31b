import { fingerprintOf } from "../answers/random.ts";
import { isOver } from "../job.ts";
import type { Job, JobState } from "../job.ts";
import { stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal, badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { countIn, subjectIn } from "./actor-input.ts";

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "READY",
  working: "RUNNING",
  done: "SUCCEEDED",
  failed: "FAILED",
  refused: "TIMED-OUT",
  cancelled: "ABORTED",
};

/** USD: for the start, and for each item of the dataset. */
const usdPerRun = 0.005;
const usdPerItem = 0.002;

/** POST /v2/actors/{actor}/runs, also called /v2/acts/{actor}/runs. Actors whose name begins with `missing` are not found. */
export function startRun(request: RunRequest): RunAnswer {
  const actor = request.in("actor");
  const isName = /^[\w.-]+~[\w.-]+$/.test(actor) || /^[A-Za-z0-9]{8,24}$/.test(actor);
  if (!isName || /(?:^|~)missing/.test(actor)) throw new Refusal(404, "Actor was not found");
  const cap = usdIn(request, "maxTotalChargeUsd");
  const input = request.json();
  const job = request.begin({
    actor,
    items: affordable(countIn(input), cap),
    subject: subjectIn(input),
    ...(cap === undefined ? {} : { cap }),
  });
  return json({ data: runOf(job) }, { status: 201 });
}

/** GET /v2/actor-runs/{run}. */
export function runStatus(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("run"));
  if (job === undefined) throw new Refusal(404, "Actor run was not found");
  return json({ data: runOf(job) });
}

/** POST /v2/actor-runs/{run}/abort. */
export function abortRun(request: RunRequest): RunAnswer {
  const job = request.cancel(request.in("run"));
  if (job === undefined) throw new Refusal(404, "Actor run was not found");
  return json({ data: runOf(job) });
}

function usdIn({ query }: RunRequest, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const usd = Number(text);
  if (Number.isFinite(usd) && usd > 0) return usd;
  throw badRequest(`${name} must be a positive number`);
}

/** An actor that is paid by the event ends before it would cost more than it may. */
function affordable(items: number, cap: number | undefined): number {
  if (cap === undefined) return items;
  return Math.max(0, Math.min(items, Math.floor((cap - usdPerRun) / usdPerItem + 1e-9)));
}

function runOf(job: Job): JsonObject {
  const actor = stringOr(job.facts["actor"], "");
  const id = (name: string): string => fingerprintOf(`${name} ${actor}`).slice(0, 17);
  const finished = isOver(job) ? new Date(job.endsAt).toISOString() : null;
  return {
    id: job.id,
    actId: id("actor"),
    userId: id("user"),
    startedAt: new Date(job.begunAt).toISOString(),
    finishedAt: finished,
    status: statuses[job.state],
    statusMessage: messageOf(job),
    meta: { origin: "API" },
    stats: { runTimeSecs: job.workMs / 1_000, computeUnits: 0.001 },
    options: { build: "latest", timeoutSecs: 300, memoryMbytes: 1_024, ...capOf(job) },
    buildId: id("build"),
    exitCode: finished === null ? null : Number(job.state !== "done"),
    generalAccess: "FOLLOW_USER_SETTING",
    defaultDatasetId: job.id,
    defaultKeyValueStoreId: id("store"),
    defaultRequestQueueId: id("queue"),
    pricingInfo: { pricingModel: "PAY_PER_EVENT" },
    ...(finished === null ? {} : { usageTotalUsd: costOf(job) }),
  };
}

function messageOf({ state, facts }: Job): string | null {
  if (state === "done") return `Finished! ${String(facts["items"])} items are in the dataset.`;
  return state === "failed" ? "The Actor process failed." : null;
}

function capOf({ facts }: Job): JsonObject {
  return facts["cap"] === undefined ? {} : { maxTotalChargeUsd: facts["cap"] };
}

function costOf({ state, facts }: Job): number {
  const { items } = facts;
  const paid = state === "done" && typeof items === "number" ? items : 0;
  return Math.round((usdPerRun + paid * usdPerItem) * 1_000_000) / 1_000_000;
}
