import { fingerprintOf } from "../answers/random.ts";
import type { Job, JobState } from "../job.ts";
import { isOver } from "../job.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "submitted",
  working: "processing",
  done: "succeed",
  failed: "failed",
  refused: "failed",
  cancelled: "failed",
};
const lifetimeMs = 2_592_000_000;
const mostPictures = 9;

/** `{code: 0, message, request_id, data}`. */
export function enveloped(request: RunRequest, data: JsonObject): JsonObject {
  return { code: 0, message: "SUCCEED", request_id: request.seed.slice(0, 32), data };
}

/** GET /v1/videos/{kind}/{id}: how a task stands; what it cost in units once it is over, as a text. */
export function getTask(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "The requested resource does not exist");
  const units = job.state === "done" ? Number(job.facts["units"]) : 0;
  return json(
    enveloped(request, {
      task_id: job.id,
      task_status: statuses[job.state],
      ...messageOf(job),
      created_at: job.begunAt,
      updated_at: isOver(job) ? job.endsAt : job.begunAt,
      ...(job.state === "done" ? { task_result: resultOf(job, request) } : {}),
      ...(isOver(job) ? { final_unit_deduction: String(units) } : {}),
    }),
  );
}

function messageOf({ state }: Job): JsonObject {
  if (state === "refused") return { task_status_msg: "Failure to pass the risk control system" };
  return state === "failed" ? { task_status_msg: "The task could not be completed" } : {};
}

function resultOf(job: Job, request: RunRequest): JsonObject {
  const { kind, width, height, seconds, count } = job.facts;
  const size = { width: Number(width), height: Number(height) };
  if (kind === "video") {
    const file = { kind: "mp4", seed: job.seed, ms: Number(seconds) * 1_000, ...size } as const;
    const url = request.fileUrlOf(job, file, lifetimeMs);
    return { videos: [{ id: job.seed, url, duration: String(seconds) }] };
  }
  const images = Array.from({ length: Math.min(mostPictures, Number(count)) }, (_, index) => {
    const file = { kind: "png", seed: fingerprintOf(`${job.seed} ${index}`), ...size } as const;
    return { index, url: request.fileUrlOf(job, file, lifetimeMs) };
  });
  return { images };
}
