import type { Job } from "../job.ts";
import type { JsonObject } from "../json.ts";
import type { MediaFile } from "../media/media-file.ts";
import { Refusal } from "../refusal.ts";
import { json, nothing } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const lifetimeMs = 86_400_000;

/** GET /v1/tasks/{id}: what it may cost while the work goes on, and what it did when it is over. */
export function getTask(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw notFound();
  const task = { id: job.id, createdAt: new Date(job.begunAt).toISOString() };
  return json({ ...task, ...toldOf(job, request) });
}

function toldOf(job: Job, request: RunRequest): JsonObject {
  const credits = Number(job.facts["credits"]);
  switch (job.state) {
    case "waiting":
      return { status: "PENDING", estimatedCost: { credits } };
    case "working":
      return {
        status: "RUNNING",
        progress: Math.round(job.progress * 100) / 100,
        estimatedCost: { credits },
      };
    case "done":
      return {
        status: "SUCCEEDED",
        output: [request.fileUrlOf(job, fileOf(job), lifetimeMs)],
        cost: { credits },
      };
    case "cancelled":
      return { status: "CANCELLED", cost: { credits: 0 } };
    case "failed":
      return failed("The task could not be completed.", "INTERNAL.BAD_OUTPUT.CODE01");
    case "refused":
      return failed("The prompt was flagged by the moderation.", "SAFETY.INPUT.TEXT");
  }
}

function failed(failure: string, failureCode: string): JsonObject {
  return { status: "FAILED", failure, failureCode, cost: { credits: 0 } };
}

function fileOf({ facts, seed }: Job): MediaFile {
  const size = { width: Number(facts["width"]), height: Number(facts["height"]) };
  const seconds = Number(facts["seconds"]);
  return seconds > 0 ? { kind: "mp4", seed, ms: seconds * 1_000, ...size } : { kind: "png", seed, ...size };
}

/** DELETE /v1/tasks/{id}: a task that goes on is called off, one that is over is forgotten. */
export function deleteTask(request: RunRequest): RunAnswer {
  if (request.cancel(request.in("id")) === undefined) throw notFound();
  return nothing();
}

function notFound(): Refusal {
  return new Refusal(404, "The task was not found.");
}
