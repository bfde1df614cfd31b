import type { Job, JobState } from "../job.ts";
import type { JsonObject } from "../json.ts";
import type { MediaFile } from "../media/media-file.ts";
import { Refusal } from "../refusal.ts";
import { json, nothing } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const states: Readonly<Record<JobState, string>> = {
  waiting: "queued",
  working: "dreaming",
  done: "completed",
  failed: "failed",
  refused: "failed",
  cancelled: "failed",
};
const reasons: Readonly<Partial<Record<JobState, string>>> = {
  failed: "The generation could not be completed.",
  refused: "400: prompt not allowed because advanced moderation failed",
  cancelled: "The generation was deleted.",
};
const lifetimeMs = 86_400_000;

/** GET /dream-machine/v1/generations/{id}. Nothing in it tells the price. */
export function getGeneration(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw notFound();
  return json(generationOf(job, request));
}

/** A generation as it is told, with its assets once it is completed. */
export function generationOf(job: Job, request: RunRequest): JsonObject {
  const { type, model, prompt } = job.facts;
  return {
    id: job.id,
    generation_type: type,
    state: states[job.state],
    failure_reason: reasons[job.state] ?? null,
    created_at: new Date(job.begunAt).toISOString(),
    assets: job.state === "done" ? assetsOf(job, request) : null,
    model,
    request: { generation_type: type, model, prompt },
  };
}

function assetsOf(job: Job, request: RunRequest): JsonObject {
  const url = request.fileUrlOf(job, fileOf(job), lifetimeMs);
  return job.facts["type"] === "image" ? { image: url } : { video: url };
}

function fileOf({ facts, seed }: Job): MediaFile {
  const size = { width: Number(facts["width"]), height: Number(facts["height"]) };
  if (facts["type"] === "image") return { kind: facts["format"] === "png" ? "png" : "jpeg", seed, ...size };
  return { kind: "mp4", seed, ms: Number(facts["seconds"]) * 1_000, ...size };
}

/** DELETE /dream-machine/v1/generations/{id}. */
export function deleteGeneration(request: RunRequest): RunAnswer {
  if (request.cancel(request.in("id")) === undefined) throw notFound();
  return nothing();
}

function notFound(): Refusal {
  return new Refusal(404, "Generation not found");
}
