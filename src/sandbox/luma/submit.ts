import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, numberIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { sizeOfRatio } from "../media/asked-size.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { generationOf } from "./generation.ts";

const ratios = ["1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21"];
const common: FieldRules = {
  prompt: { is: "text", least: 3, most: 5_000 },
  aspect_ratio: { is: "text", oneOf: ratios },
  callback_url: { is: "text" },
};
const videoRules: FieldRules = {
  ...common,
  model: { is: "text", isRequired: true, oneOf: ["ray-2", "ray-flash-2"] },
  duration: { is: "text", oneOf: ["5s", "9s"] },
  resolution: { is: "text", oneOf: ["540p", "720p", "1080p", "4k"] },
  loop: { is: "boolean" },
  keyframes: { is: "object" },
};
const imageRules: FieldRules = {
  ...common,
  model: { is: "text", isRequired: true, oneOf: ["photon-1", "photon-flash-1"] },
  format: { is: "text", oneOf: ["jpg", "png"] },
  image_ref: { is: "list", most: 4 },
  style_ref: { is: "list", most: 4 },
};

const pixels: Readonly<Record<string, number>> = {
  "540p": 518_400,
  "720p": 921_600,
  "1080p": 2_073_600,
  "4k": 8_294_400,
};
const imagePixels = 2_073_600;
const wholePrompt = 300;

/** POST /dream-machine/v1/generations/video. */
export function generateVideo(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, videoRules, 400);
  if (body["prompt"] === undefined && !isObject(body["keyframes"])) throw badRequest("Prompt is required");
  const resolution = stringOr(body["resolution"], "720p");
  return begun(request, {
    type: "video",
    ...sizeFor(body, pixels[resolution] ?? imagePixels),
    seconds: numberIn(body["duration"]) ?? 5,
  });
}

/** POST /dream-machine/v1/generations/image. */
export function generateImage(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, imageRules, 400);
  if (body["prompt"] === undefined) throw badRequest("Prompt is required");
  const format = body["format"] === "png" ? "png" : "jpeg";
  return begun(request, { type: "image", ...sizeFor(body, imagePixels), format });
}

function sizeFor(body: JsonObject, count: number) {
  const ratio = stringOr(body["aspect_ratio"], "16:9");
  return sizeOfRatio(ratio, count, 4) ?? { width: 1_024, height: 1_024 };
}

function begun(request: RunRequest, facts: JsonObject): RunAnswer {
  const { model, prompt } = request.json();
  const short = stringOr(prompt, "").slice(0, wholePrompt).toWellFormed();
  const job = request.begin({ ...facts, model, prompt: short });
  return json(generationOf(job, request), { status: 201 });
}
