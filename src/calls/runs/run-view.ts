import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { exactUsd } from "../../core/price.ts";
import type { ListedRun, SeenRun } from "./run-store.ts";
import { shapeOutput } from "./shape-output.ts";

export type RunStatus = "queued" | "running" | "completed" | "failed" | "canceled";

/** How far a run is, in the words that clients know. Answers never go backwards. */
export function statusOf({ state, ending, offer }: SeenRun): RunStatus {
  // Nobody has taken the work yet.
  if (state !== "over") return state === "submitting" && offer === null ? "queued" : "running";
  if (ending === "canceled") return "canceled";
  return ending === "failed" ? "failed" : "completed";
}

/** Categories whose clients look for the result's own `status`: whether a code was right, where a message is. */
const ownStatus: ReadonlySet<string> = new Set(["sms"]);

/**
 * The result with what it used and cost, as every answer and message shows it. Where its own `status` stands, what became
 * of the run is in `run_status`. A result that is a list in OpenAI's form says so in `object`. To a `usage` of its own,
 * such as pages and credits of the provider, the meters are added.
 */
export function shownRun(row: SeenRun): Record<string, unknown> {
  const { usage, ...result } = resultOf(row);
  const isOwn = ownStatus.has(row.category) && typeof result["status"] === "string";
  return {
    object: "run",
    ...result,
    id: row.id,
    model: row.model,
    status: isOwn ? result["status"] : statusOf(row),
    ...(isOwn ? { run_status: statusOf(row) } : {}),
    ...(row.ending === "empty" ? { is_empty: true } : {}),
    usage: { ...objectOf(usage), ...objectOf(row.usage) },
    ...(row.estimated ? { usage_estimated: true } : {}),
    _call_cost_usd: exactUsd(row.cost ?? 0n, row.credit_usd),
  };
}

/** A run that is asked for by its id: the job's members, and in `result` what a synchronous answer would have been. */
export function shownJob(row: SeenRun | ListedRun): Record<string, unknown> {
  const problem = problemOf(row);
  const hasResult = row.state === "over" && problem === undefined;
  const isShown = !("is_without_output" in row && row.is_without_output);
  return {
    id: row.id,
    object: "run",
    job_id: row.id,
    model: row.model,
    status: statusOf(row),
    poll_url: pollUrl(row),
    ...(row.progress === null ? {} : { progress: row.progress }),
    created_at: row.created_at.toISOString(),
    completed_at: row.ended_at?.toISOString() ?? null,
    ...(hasResult && isShown ? { result: shownRun(row) } : {}),
    ...(problem === undefined ? {} : jobError(problem)),
  };
}

function jobError({ code, message, param }: ShownProblem): Record<string, unknown> {
  return { error: message, error_code: code, ...(param === undefined ? {} : { error_param: param }) };
}

/** 202: it goes on without the request. */
export function acceptedJob(row: SeenRun): Record<string, unknown> {
  return {
    id: row.id,
    object: "run",
    status: row.state === "over" ? statusOf(row) : "accepted",
    job_id: row.id,
    poll_url: pollUrl(row),
    model: row.model,
  };
}

/** What is sent to the customer's own server when the run is over. */
export function finishedMessage(row: SeenRun): string {
  const status = statusOf(row);
  return JSON.stringify({
    type: `run.${status}`,
    timestamp: (row.ended_at ?? row.updated_at).toISOString(),
    data: shownJob(row),
  });
}

function pollUrl(row: SeenRun): string {
  return `${row.public_url}/v1/job/${row.id}`;
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function resultOf(row: SeenRun): Record<string, unknown> {
  return isJsonObject(row.output) ? shapeOutput(row.category, row.output) : {};
}

/** Why a run failed, as it may be told. */
export type ShownProblem = {
  readonly code: string;
  readonly message: string;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
};

export function problemOf({ problem }: SeenRun): ShownProblem | undefined {
  if (!isJsonObject(problem)) return undefined;
  const { code, message, param, retry_after: seconds } = problem;
  return {
    code: String(code),
    message: String(message),
    param: typeof param === "string" ? param : undefined,
    retryAfterSeconds: typeof seconds === "number" ? seconds : undefined,
  };
}
