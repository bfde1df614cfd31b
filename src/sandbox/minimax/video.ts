import type { Route } from "../emulator.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, numberIn, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Job, JobState } from "../job.ts";
import { sizeOfRatio } from "../media/asked-size.ts";
import type { VideoFile } from "../media/media-file.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true, oneOf: ["MiniMax-H3", "MiniMax-H3-Max"] },
  content: { is: "list", isRequired: true, least: 1 },
  resolution: { is: "text", oneOf: ["768P", "2K"] },
  duration: { is: "integer", least: 5, most: 15 },
  ratio: { is: "text", oneOf: ["adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16"] },
};

const pixels: Readonly<Record<string, number>> = { "768P": 1_048_576, "2K": 3_686_400 };
const lifetimeMs = 604_800_000;

/** POST /v2/video_generation: a text and pictures as the parts of a content. */
function submit(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const parts = objectsIn(body["content"]);
  if (!parts.some(isFilled)) throw badRequest("content needs a text or an image", "content");
  const resolution = stringOr(body["resolution"], "2K");
  const ratio = stringOr(body["ratio"], "adaptive");
  const size = sizeOfRatio(ratio === "adaptive" ? "16:9" : ratio, pixels[resolution] ?? 1_048_576, 4);
  const job = request.begin({ ...size, resolution, ratio, seconds: numberIn(body["duration"]) ?? 5 });
  return json({ task_id: job.id });
}

function isFilled({ type, text, image_url: picture }: JsonObject): boolean {
  if (type === "text") return typeof text === "string" && text !== "";
  return type === "image_url" && isObject(picture) && typeof picture["url"] === "string";
}

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "queued",
  working: "running",
  done: "succeeded",
  failed: "failed",
  refused: "failed",
  cancelled: "cancelled",
};

/** GET /v2/query/video_generation/{id}. */
function query(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "task not found");
  const { resolution, ratio, seconds } = job.facts;
  const usage = { total_seconds: seconds, input_seconds: 0, output_seconds: seconds };
  const result = {
    content: { url: request.fileUrlOf(job, videoOf(job), lifetimeMs) },
    resolution,
    ratio,
    duration: seconds,
    usage,
  };
  return json({
    task: {
      id: job.id,
      status: statuses[job.state],
      ...(job.state === "done" ? result : {}),
      ...faultOf(job),
    },
  });
}

function faultOf({ state }: Job): JsonObject {
  if (state === "refused") return { error: { code: "1026", message: "the prompt is sensitive" } };
  return state === "failed" ? { error: { code: "1000", message: "the video could not be made" } } : {};
}

function videoOf({ facts, seed }: Job): VideoFile {
  const size = { width: Number(facts["width"]), height: Number(facts["height"]) };
  return { kind: "mp4", seed, ms: Number(facts["seconds"]) * 1_000, ...size };
}

const types: Readonly<Record<number, string>> = {
  400: "bad_request_error",
  401: "authentication_error",
  402: "insufficient_balance_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** The second version says no with a status: `{type: "error", error: {type, message, http_code}, request_id}`. */
export function refuseAsMinimaxVideo({ status, message }: Refusal, request: RunRequest): RunAnswer {
  const type = types[status] ?? "api_error";
  const error = { type, message, http_code: String(status) };
  return json({ type: "error", error, request_id: request.seed.slice(0, 32) }, { status });
}

export const videoRoutes: readonly Route[] = [
  { method: "POST", path: "/v2/video_generation", answer: submit },
  { method: "GET", path: "/v2/query/video_generation/{id}", answer: query },
];
