import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { fingerprintOf } from "../answers/random.ts";
import { tokenOf } from "../media/media-token.ts";
import type { VideoFile } from "../media/media-file.ts";
import { isObject, objectsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Job } from "../job.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { fileOf } from "../run-routes.ts";

const rules: FieldRules = {
  aspectRatio: { is: "text", oneOf: ["16:9", "9:16"] },
  resolution: { is: "text", oneOf: ["720p", "1080p", "4k"] },
  negativePrompt: { is: "text" },
  personGeneration: { is: "text", oneOf: ["allow_all", "allow_adult", "dont_allow"] },
  sampleCount: { is: "integer", least: 1, most: 4 },
  seed: { is: "integer", least: 0 },
};

const lengths = [4, 6, 8];
const usualSeconds = 8;
const filesLiveMs = 172_800_000;
/** The shorter side in pixels. */
const sides: Readonly<Record<string, number>> = { "720p": 720, "1080p": 1_080, "4k": 2_160 };

/** POST /v1beta/models/{model}:predictLongRunning. */
export function predictLongRunning(request: RunRequest): RunAnswer {
  const model = request.in("model");
  if (!model.startsWith("veo-")) {
    throw new Refusal(404, `models/${model} is not found, or is not supported for predictLongRunning.`);
  }
  const body = request.json();
  const [instance] = objectsIn(body["instances"]);
  const { prompt, image } = instance ?? {};
  if (typeof prompt !== "string" && !isObject(image))
    throw badRequest("An instance needs a prompt or an image.");
  const parameters = isObject(body["parameters"]) ? body["parameters"] : {};
  checkFields(parameters, rules, 400);
  const { aspectRatio, resolution, sampleCount } = parameters;
  const job = request.begin({
    model,
    seconds: secondsIn(parameters),
    isTall: aspectRatio === "9:16",
    side: sides[typeof resolution === "string" ? resolution : "720p"] ?? 720,
    samples: typeof sampleCount === "number" ? sampleCount : 1,
  });
  return json({ name: `models/${model}/operations/${job.id}` });
}

function secondsIn({ durationSeconds: asked }: JsonObject): number {
  if (asked === undefined || asked === null) return usualSeconds;
  const seconds = Number(asked);
  if (lengths.includes(seconds)) return seconds;
  throw badRequest(`durationSeconds must be one of ${lengths.join(", ")}.`, "durationSeconds");
}

/** GET /v1beta/models/{model}/operations/{id}. Nothing in it tells the price: seconds times samples. */
export function operation(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "The operation was not found.");
  const name = `models/${request.in("model")}/operations/${job.id}`;
  switch (job.state) {
    case "waiting":
    case "working":
      return json({ name });
    case "done":
      return json({ name, done: true, response: responseOf({ generatedSamples: samplesOf(job, request) }) });
    case "refused": {
      const reason = "The video was filtered because it may go against the rules for safe use.";
      const filtered = { raiMediaFilteredCount: 1, raiMediaFilteredReasons: [reason] };
      return json({ name, done: true, response: responseOf(filtered) });
    }
    case "failed":
    case "cancelled":
      return json({ name, done: true, error: { code: 13, message: "The video could not be made." } });
  }
}

function responseOf(generateVideoResponse: JsonObject): JsonObject {
  const type = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse";
  return { "@type": type, generateVideoResponse };
}

function samplesOf(job: Job, request: RunRequest): readonly JsonObject[] {
  const { seconds, side, samples, isTall } = job.facts;
  const short = Number(side);
  const long = Math.round((short * 16) / 9 / 2) * 2;
  const size = isTall === true ? { width: short, height: long } : { width: long, height: short };
  const expiresAt = job.endsAt + (job.orders.fileMs ?? filesLiveMs);
  return Array.from({ length: Math.min(4, Number(samples)) }, (_, at) => {
    const video: VideoFile = {
      kind: "mp4",
      seed: fingerprintOf(`${job.seed} ${at}`),
      ms: Number(seconds) * 1_000,
      ...size,
    };
    const uri = `${request.baseUrl}/v1beta/files/${fileIdOf(video, expiresAt)}:download?alt=media`;
    return { video: { uri } };
  });
}

/** Ids of files there are of small letters and digits, and clients rely on it. */
function fileIdOf(video: VideoFile, expiresAt: number): string {
  return Buffer.from(tokenOf(video, expiresAt)).toString("hex");
}

/** GET /v1beta/files/{id}:download?alt=media. Unlike files elsewhere these need the key. */
export async function downloadFile(request: RunRequest): Promise<RunAnswer> {
  return await fileOf(request, Buffer.from(request.in("id"), "hex").toString());
}
