import { fillSchema } from "../answers/schema-filler.ts";
import { randomFrom } from "../answers/random.ts";
import { isOver } from "../job.ts";
import type { Job, JobState } from "../job.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { pagesOf, parseResultOf } from "./parse-result.ts";
import { sourceIn } from "./source.ts";

/** POST /parse: the answer comes when the work is done, or at once when it is to be a job. */
export async function parse(request: RunRequest): Promise<RunAnswer> {
  const job = beginParse(request);
  return isObject(request.json()["async"]) ? json({ job_id: job.id }) : await resultWhenDone(job, request);
}

/** POST /parse_async. */
export function parseAsync(request: RunRequest): RunAnswer {
  return json({ job_id: beginParse(request).id });
}

/** POST /extract. */
export async function extract(request: RunRequest): Promise<RunAnswer> {
  const job = beginExtract(request);
  return isObject(request.json()["async"]) ? json({ job_id: job.id }) : await resultWhenDone(job, request);
}

/** POST /extract_async. */
export function extractAsync(request: RunRequest): RunAnswer {
  return json({ job_id: beginExtract(request).id });
}

function beginParse(request: RunRequest): Job {
  const body = request.json();
  const { retrieval, settings, enhance } = body;
  const chunking = isObject(retrieval) ? retrieval["chunking"] : undefined;
  const agentic = isObject(enhance) ? enhance["agentic"] : undefined;
  return request.begin({
    kind: "Parse",
    ...sourceIn(body),
    isByPage: isObject(chunking) && chunking["chunk_mode"] === "page",
    isUrl: isObject(settings) && settings["force_url_result"] === true,
    isAgentic: Array.isArray(agentic) && agentic.length > 0,
  });
}

const longestSchema = 1_200;

function beginExtract(request: RunRequest): Job {
  const body = request.json();
  const { instructions } = body;
  const schema = isObject(instructions) ? instructions["schema"] : undefined;
  const isShort = schema !== undefined && JSON.stringify(schema).length <= longestSchema;
  return request.begin({ kind: "Extract", ...sourceIn(body), ...(isShort ? { schema } : {}) });
}

async function resultWhenDone(begun: Job, request: RunRequest): Promise<RunAnswer> {
  const job = await request.finished(begun);
  if (job.state !== "done") throw new Refusal(500, "The document could not be read.", { code: "told" });
  return json(resultOf(job, request));
}

function resultOf(job: Job, request: RunRequest): JsonObject {
  if (job.facts["kind"] !== "Extract") return parseResultOf(job, request);
  const data = fillSchema(job.facts["schema"], { random: randomFrom(job.seed), words: [] });
  const pages = pagesOf(job);
  const usage = {
    num_pages: pages,
    num_fields: isObject(data) ? Object.keys(data).length : 1,
    credits: pages * 2,
  };
  return { job_id: job.id, result: [data], usage, citations: null };
}

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "Pending",
  working: "InProgress",
  done: "Completed",
  failed: "Failed",
  refused: "Failed",
  cancelled: "Cancelled",
};

/** GET /job/{id}. */
export function getJob(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Job not found", { code: "told" });
  const pages = pagesOf(job);
  return json({
    status: statuses[job.state],
    type: job.facts["kind"],
    progress: Math.round(job.progress * 100) / 100,
    reason: statuses[job.state] === "Failed" ? "The document could not be read." : null,
    result: job.state === "done" ? resultOf(job, request) : null,
    created_at: new Date(job.begunAt).toISOString(),
    duration: isOver(job) ? job.workMs / 1_000 : null,
    num_pages: pages,
    total_pages: pages,
  });
}

/** POST /cancel/{id}. */
export function cancelJob(request: RunRequest): RunAnswer {
  const job = request.cancel(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Job not found", { code: "told" });
  return json({ message: "The job is cancelled." });
}
