import { factsOf, outputKindOf } from "../hosting/model-output.ts";
import type { OutputKind } from "../hosting/model-output.ts";
import { isOver } from "../job.ts";
import type { Job } from "../job.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { failure, resultOf } from "./result.ts";

/** Apps call their pictures `image_url`, `input_image_urls`, `person_image_url`, `model_image`, as they like. */
const pictureField = /(?<!num_|max_)image(?:s|_urls?)?$/;
const wholePrompt = 300;

/** POST /{app}: any path is an app. The queue takes every input; what is wrong with it is told with the result. */
export function submit(request: RunRequest): RunAnswer {
  const job = begin(request);
  // Who will be called is told the ids alone.
  if (request.query.has("fal_webhook")) return json({ request_id: job.id, gateway_request_id: job.id });
  return json({
    status: "IN_QUEUE",
    request_id: job.id,
    ...urlsOf(request.in("app"), job, request),
    queue_position: 0,
  });
}

/** POST /{app} on the synchronous host: the result, when it is there. */
export async function runAtOnce(request: RunRequest): Promise<RunAnswer> {
  return answerWith(await request.finished(begin(request)), request);
}

function begin(request: RunRequest): Job {
  const input = request.json();
  const kind = outputKindOf(request.in("app"));
  const { prompt } = input;
  const missing = missingIn(kind, input);
  return request.begin({
    ...factsOf(kind, input),
    ...(typeof prompt === "string" ? { prompt: prompt.slice(0, wholePrompt).toWellFormed() } : {}),
    ...(missing === undefined ? {} : { missing }),
  });
}

function missingIn(kind: OutputKind, input: JsonObject): string | undefined {
  const isPictured = Object.keys(input).some((name) => pictureField.test(name));
  if (kind === "edited" || kind === "traced") return isPictured ? undefined : "image_url";
  if (kind === "transcript") return input["audio_url"] === undefined ? "audio_url" : undefined;
  const needsPrompt = ["pictures", "picture", "drawing", "text"].includes(kind);
  const isAsked = input["prompt"] !== undefined || isPictured;
  return needsPrompt && !isAsked ? "prompt" : undefined;
}

const statuses = {
  waiting: "IN_QUEUE",
  working: "IN_PROGRESS",
  done: "COMPLETED",
  failed: "COMPLETED",
  refused: "COMPLETED",
  cancelled: "COMPLETED",
} as const;

/** GET /{app}/requests/{id}/status?logs=1: 202 until it is done. Work that failed is done, and tells why. */
export function status(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "The request was not found.");
  const told = statuses[job.state];
  const isLogged = request.query.get("logs") === "1";
  const log = { message: "The work goes on.", level: "INFO", source: "USER", timestamp: timeOf(job.begunAt) };
  const body = {
    status: told,
    request_id: job.id,
    ...urlsOf(request.in("app"), job, request),
    ...(told === "IN_QUEUE" ? { queue_position: 0 } : { logs: isLogged ? [log] : null }),
    ...(told === "COMPLETED" ? { metrics: { inference_time: job.workMs / 1_000 } } : {}),
    ...(job.state === "failed" ? failure : {}),
  };
  return json(body, { status: told === "COMPLETED" ? 200 : 202 });
}

/** GET /{app}/requests/{id}. */
export function result(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "The request was not found.");
  if (!isOver(job)) return json({ detail: "Request is still in progress" }, { status: 400 });
  if (job.state === "cancelled") throw new Refusal(400, "The request was cancelled.");
  return answerWith(job, request);
}

/** PUT /{app}/requests/{id}/cancel. */
export function cancel(request: RunRequest): RunAnswer {
  const job = request.cancel(request.in("id"));
  if (job === undefined) return json({ status: "NOT_FOUND" }, { status: 404 });
  return job.state === "cancelled"
    ? json({ status: "CANCELLATION_REQUESTED" }, { status: 202 })
    : json({ status: "ALREADY_COMPLETED" }, { status: 400 });
}

/** Units of the model's price: pictures, seconds. */
function answerWith(job: Job, request: RunRequest): RunAnswer {
  const { body, billableUnits } = resultOf(job, request);
  return json(body, {
    headers: { "x-fal-request-id": job.id, "x-fal-billable-units": String(billableUnits) },
  });
}

/** What lies behind the app's own name in its path is left out of these addresses, as the queue leaves it out. */
function urlsOf(app: string, job: Job, request: RunRequest): JsonObject {
  const [first = "", ...rest] = app.split("/");
  const isGrouped = first === "workflows" || first === "comfy";
  const name = [first, ...rest.slice(0, isGrouped ? 2 : 1)].join("/");
  const address = `${request.baseUrl}/${name}/requests/${job.id}`;
  return { response_url: address, status_url: `${address}/status`, cancel_url: `${address}/cancel` };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
