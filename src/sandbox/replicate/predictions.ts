import { setTimeout as wait } from "node:timers/promises";
import { factsOf, outputKindOf } from "../hosting/model-output.ts";
import type { OutputKind } from "../hosting/model-output.ts";
import { isOver } from "../job.ts";
import type { Job } from "../job.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { predictionOf } from "./prediction.ts";

/** POST /v1/models/{owner}/{name}/predictions: a model by its name. */
export async function predictWithModel(request: RunRequest): Promise<RunAnswer> {
  const model = `${request.in("owner")}/${request.in("name")}`;
  if (request.in("name").startsWith("missing")) throw notFound();
  const input = inputIn(request.json());
  const kind = outputKindOf(model);
  checkInput(kind, input);
  return await begin(request, { ...factsOf(kind, input), model, input: echoOf(input) });
}

/** POST /v1/predictions: a version, or `owner/name` with or without one. */
export async function predictWithVersion(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  const { version } = body;
  if (typeof version !== "string" || version === "") {
    throw new Refusal(422, "version is required", { param: "version", code: "missing" });
  }
  const input = inputIn(body);
  const [model = "", digits = version] = version.includes("/") ? version.split(":") : ["", version];
  const facts = { ...factsOf(outputKindOf(model), input), model, version: digits, input: echoOf(input) };
  return await begin(request, facts);
}

function inputIn({ input }: JsonObject): JsonObject {
  if (isObject(input)) return input;
  throw new Refusal(422, "input is required", { param: "input", code: "missing" });
}

const pictureFields = ["image", "img", "input_image", "image_url"];

function checkInput(kind: OutputKind, input: JsonObject): void {
  const needsPicture = kind === "edited" || kind === "traced";
  const needsPrompt = ["pictures", "picture", "drawing", "video"].includes(kind);
  if (needsPicture && !pictureFields.some((name) => input[name] !== undefined)) {
    throw new Refusal(422, "image is required", { param: "input.image", code: "missing" });
  }
  if (needsPrompt && typeof input["prompt"] !== "string") {
    throw new Refusal(422, "prompt is required", { param: "input.prompt", code: "missing" });
  }
}

const longestEcho = 800;

/** What was asked is shown again, unless that would make the id of the prediction too long. */
function echoOf(input: JsonObject): JsonObject {
  return JSON.stringify(input).length > longestEcho ? {} : input;
}

const longestWaitSeconds = 60;

/** With `Prefer: wait` or `wait=5` the answer comes when the work is done, or when the time is over. */
async function begin(request: RunRequest, facts: JsonObject): Promise<RunAnswer> {
  const begun = request.begin(facts);
  const [, , asked] = /^(wait)(?:=(\d+))?$/.exec(request.header("prefer")) ?? [];
  if (request.header("prefer").startsWith("wait")) {
    await waitFor(begun, request, Math.min(longestWaitSeconds, Number(asked ?? longestWaitSeconds)));
  }
  const job = request.job(begun.id) ?? begun;
  return json(predictionOf(job, request), { status: 201 });
}

async function waitFor(job: Job, request: RunRequest, seconds: number): Promise<void> {
  const left = job.orders.end === "never" ? Infinity : job.endsAt - request.now();
  // One more, because a timer may fire a millisecond before the clock is there, and the job would not be over.
  const ms = Math.max(0, Math.min(left + 1, seconds * 1_000));
  await wait(ms, undefined, { signal: request.signal });
}

/** GET /v1/predictions/{id}. */
export function getPrediction(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw notFound();
  return json(predictionOf(job, request));
}

/** POST /v1/predictions/{id}/cancel. One that is over stays as it is. */
export function cancelPrediction(request: RunRequest): RunAnswer {
  const job = request.cancel(request.in("id"));
  if (job === undefined) throw notFound();
  return json(predictionOf(job, request), { status: isOver(job) ? 200 : 202 });
}

function notFound(): Refusal {
  return new Refusal(404, "The requested resource could not be found.");
}
