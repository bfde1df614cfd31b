import type { Job, JobState } from "../job.ts";
import { stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const lifetimeMs = 600_000;

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "Pending",
  working: "Pending",
  done: "Ready",
  failed: "Error",
  refused: "Content Moderated",
  cancelled: "Error",
};

/** GET /v1/get_result?id=: how a task stands; the picture's address is good for ten minutes. */
export function getResult(request: RunRequest): RunAnswer {
  const id = request.query.get("id");
  if (id === null) throw new Refusal(422, "Field required", { param: "query.id", code: "missing" });
  const job = request.polled(id);
  const none = { id, result: null, progress: null, details: null, preview: null };
  if (job === undefined) return json({ ...none, status: "Task not found" }, { status: 404 });
  const told = { ...none, status: statuses[job.state] };
  switch (job.state) {
    case "done":
      return json({ ...told, result: resultOf(job, request) });
    case "refused":
      return json({ ...told, details: { "Moderation Reasons": ["Derivative Works Filter"] } });
    case "failed":
    case "cancelled":
      return json({ ...told, details: { error: "Generation failed" } });
    case "waiting":
    case "working":
      return json({ ...told, progress: Math.round(job.progress * 100) / 100 });
  }
}

function resultOf(job: Job, request: RunRequest): unknown {
  const { width, height, prompt, seed, format } = job.facts;
  const picture = {
    kind: format === "png" || format === "webp" ? format : "jpeg",
    seed: job.seed,
    width: Number(width),
    height: Number(height),
  } as const;
  return {
    sample: request.fileUrlOf(job, picture, lifetimeMs),
    prompt: stringOr(prompt, ""),
    seed: typeof seed === "number" ? seed : Number.parseInt(job.seed.slice(0, 8), 16),
    start_time: job.begunAt / 1_000,
    end_time: job.endsAt / 1_000,
    duration: job.workMs / 1_000,
  };
}
