import type { Emulator } from "../emulator.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { modelFor, pictureIn } from "./models.ts";
import type { RunwayModel, Task } from "./models.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  promptText: { is: "text", least: 1, most: 1_000 },
  ratio: { is: "text", isRequired: true },
  duration: { is: "integer" },
  seed: { is: "integer", least: 0, most: 4_294_967_295 },
  audio: { is: "boolean" },
};

const version = "2024-11-06";

/** POST /v1/text_to_video and its like: a task begins, and what it may cost is told. */
export function submitTo(task: Task): Emulator["routes"][number]["answer"] {
  return (request) => {
    checkVersion(request);
    const body = request.json();
    checkFields(body, rules, 400);
    const model = modelFor(body["model"], task);
    if (model === undefined) throw badRequest("The model is not one of this endpoint's.", "model");
    checkNeeds(body, task);
    const size = sizeIn(stringOr(body["ratio"], ""));
    const seconds = secondsIn(body, model);
    const credits = model.credits({ seconds, height: Math.min(size.width, size.height), body });
    const job = request.begin({ ...size, seconds, credits });
    return json({ id: job.id, estimatedCost: { credits } });
  };
}

/** Every version but the one of 2024 is unknown, and none at all is a fault as well. */
function checkVersion(request: RunRequest): void {
  if (request.header("x-runway-version") === version) return;
  throw new Refusal(400, `X-Runway-Version must be ${version}.`);
}

function checkNeeds(body: JsonObject, task: Task): void {
  const missing = (param: string): Refusal =>
    new Refusal(400, `'${param}' is required.`, { param, code: "missing" });
  if (task === "image_to_video" && pictureIn(body["promptImage"]) === undefined) throw missing("promptImage");
  if (task !== "image_to_video" && typeof body["promptText"] !== "string") throw missing("promptText");
  const isTurbo = body["model"] === "gen4_image_turbo";
  if (isTurbo && pictureIn(body["referenceImages"]) === undefined) throw missing("referenceImages");
}

function sizeIn(ratio: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d{3,4}):(\d{3,4})$/.exec(ratio) ?? [];
  if (width === undefined || height === undefined) {
    throw badRequest("The ratio is a width and a height such as 1280:720.", "ratio");
  }
  return { width: Number(width), height: Number(height) };
}

function secondsIn({ duration }: JsonObject, { seconds }: RunwayModel): number {
  const [usual] = seconds;
  if (usual === undefined) return 0;
  const asked = numberIn(duration) ?? usual;
  if (seconds.includes(asked)) return asked;
  throw badRequest("The model makes no video of this length.", "duration");
}
