import { filesOf } from "../hosting/model-output.ts";
import type { Job, JobState } from "../job.ts";
import { isOver } from "../job.ts";
import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { RunRequest } from "../run-request.ts";
import { transcriptOf } from "../speech/transcript.ts";
import { sentencesOn } from "../web/prose.ts";

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "starting",
  working: "processing",
  done: "succeeded",
  failed: "failed",
  refused: "failed",
  cancelled: "canceled",
};

const errors: Readonly<Partial<Record<JobState, string>>> = {
  failed: "Prediction failed: the model raised an error.",
  refused: "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
};

/** Files are kept for an hour. */
const lifetimeMs = 3_600_000;
const transcriptMs = 20_000;

/** A prediction as it stands. */
export function predictionOf(job: Job, request: RunRequest): JsonObject {
  const { model, version, input } = job.facts;
  const address = `${request.baseUrl}/v1/predictions/${job.id}`;
  const isBegun = job.state !== "waiting";
  return {
    id: job.id,
    model: stringOr(model, ""),
    version: stringOr(version, "hidden"),
    input: isObject(input) ? input : {},
    logs: isBegun ? `Using seed: ${Number.parseInt(job.seed.slice(0, 6), 16)}\n` : "",
    output: job.state === "done" ? outputOf(job, request) : null,
    data_removed: false,
    error: errors[job.state] ?? null,
    status: statuses[job.state],
    created_at: timeOf(job.begunAt),
    started_at: isBegun ? timeOf(job.begunAt) : null,
    completed_at: isOver(job) ? timeOf(job.endsAt) : null,
    ...(job.state === "done" || job.state === "failed" ? { metrics: metricsOf(job) } : {}),
    urls: { get: address, cancel: `${address}/cancel`, web: address },
  };
}

function outputOf(job: Job, request: RunRequest): unknown {
  const urls = filesOf(job).map((file) => request.fileUrlOf(job, file, lifetimeMs));
  switch (job.facts["kind"]) {
    case "pictures":
      return urls;
    case "transcript": {
      const { text, words } = transcriptOf(job.seed, transcriptMs);
      const end = words.at(-1)?.end ?? 0;
      return { text, chunks: [{ timestamp: [0, end], text }], detected_language: "english" };
    }
    case "text":
      return sentencesOn("A model's answer", 2, job.seed).join(" ").split(/(?= )/);
    default:
      return urls[0];
  }
}

/** Seconds of the machine, which most models are charged by: the ordered time, or what the seed says. */
function metricsOf(job: Job): JsonObject {
  const drawn = 500 + (Number.parseInt(job.seed.slice(0, 4), 16) % 3_000);
  const seconds = Math.max(job.workMs, drawn) / 1_000;
  return { predict_time: seconds, total_time: Math.round((seconds + 0.2) * 1_000) / 1_000 };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
