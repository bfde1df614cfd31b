import type { Route } from "../emulator.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { JobState } from "../job.ts";
import { sizeOfRatio } from "../media/asked-size.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const models = ["MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"];
const rules: FieldRules = {
  model: { is: "text", isRequired: true, oneOf: models },
  prompt: { is: "text", most: 2_000 },
  first_frame_image: { is: "text", least: 1 },
  last_frame_image: { is: "text", least: 1 },
  duration: { is: "integer", oneOf: [6, 10] },
  resolution: { is: "text", oneOf: ["512P", "768P", "1080P"] },
  prompt_optimizer: { is: "boolean" },
};
const pixels: Readonly<Record<string, number>> = { "512P": 466_944, "768P": 1_048_576, "1080P": 2_073_600 };
const success = { status_code: 0, status_msg: "success" };
const lifetimeMs = 32_400_000;

/** POST /v1/video_generation: the first version, whose result is a file that is asked for by its id. */
function submit(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const needsPicture = body["model"] === "MiniMax-Hailuo-2.3-Fast" || body["resolution"] === "512P";
  if (needsPicture && body["first_frame_image"] === undefined)
    throw badRequest("first_frame_image is required");
  if (body["prompt"] === undefined && body["first_frame_image"] === undefined)
    throw badRequest("prompt is required");
  if (body["duration"] === 10 && body["resolution"] === "1080P") throw badRequest("no 10 s in 1080P");
  if (request.jobOrders.end === "refused") throw new Refusal(400, "input new_sensitive", { code: "1026" });
  const job = request.begin({ ...sizeFor(body), seconds: numberIn(body["duration"]) ?? 6 });
  return json({ task_id: job.id, base_resp: success });
}

function sizeFor({ resolution }: JsonObject) {
  return sizeOfRatio("16:9", pixels[stringOr(resolution, "768P")] ?? 1_048_576, 4);
}

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "Queueing",
  working: "Processing",
  done: "Success",
  failed: "Fail",
  refused: "Fail",
  cancelled: "Fail",
};

/** GET /v1/query/video_generation?task_id=. */
function query(request: RunRequest): RunAnswer {
  const id = request.query.get("task_id") ?? "";
  const job = request.polled(id);
  if (job === undefined) throw new Refusal(404, "task not found");
  const { width: video_width, height: video_height } = job.facts;
  const result = job.state === "done" ? { file_id: job.id, video_width, video_height } : {};
  return json({ task_id: job.id, status: statuses[job.state], ...result, base_resp: success });
}

/** GET /v1/files/retrieve?file_id=. */
function retrieve(request: RunRequest): RunAnswer {
  const job = request.job(request.query.get("file_id") ?? "");
  if (job === undefined || job.state !== "done") throw badRequest("file not found");
  const size = { width: Number(job.facts["width"]), height: Number(job.facts["height"]) };
  const file = { kind: "mp4", seed: job.seed, ms: Number(job.facts["seconds"]) * 1_000, ...size } as const;
  const told = {
    file_id: job.id,
    created_at: Math.floor(job.endsAt / 1_000),
    filename: "output.mp4",
    purpose: "video_generation",
    download_url: request.fileUrlOf(job, file, lifetimeMs),
  };
  return json({ file: told, base_resp: success });
}

export const hailuoRoutes: readonly Route[] = [
  { method: "POST", path: "/v1/video_generation", answer: submit },
  { method: "GET", path: "/v1/query/video_generation", answer: query },
  { method: "GET", path: "/v1/files/retrieve", answer: retrieve },
];
