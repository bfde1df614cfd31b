import type { Emulator } from "../emulator.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { sizeOfRatio } from "../media/asked-size.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { unitsFor } from "./units.ts";
import { enveloped } from "./tasks.ts";

const ratios = ["16:9", "9:16", "1:1"];
const videoRules: FieldRules = {
  model_name: { is: "text" },
  prompt: { is: "text", most: 2_500 },
  negative_prompt: { is: "text", most: 2_500 },
  mode: { is: "text", oneOf: ["std", "pro"] },
  duration: { is: "text" },
  sound: { is: "text", oneOf: ["on", "off"] },
  aspect_ratio: { is: "text", oneOf: ratios },
  cfg_scale: { is: "number", least: 0, most: 1 },
  image: { is: "text", least: 1 },
  image_tail: { is: "text", least: 1 },
};
const pictureRules: FieldRules = {
  model_name: { is: "text" },
  prompt: { is: "text", isRequired: true, least: 1, most: 2_500 },
  n: { is: "integer", least: 1, most: 9 },
  aspect_ratio: { is: "text" },
};

const videoModel = /^kling-v\d(?:-\d)?(?:-(?:master|turbo))?$/;
const videoPixels = { std: 921_600, pro: 2_073_600 } as const;
const picturePixels = 1_048_576;
const longestSeconds = 15;

/** POST /v1/videos/text2video and image2video. */
export function submitVideo(from: "text" | "image"): Emulator["routes"][number]["answer"] {
  return (request) => {
    const body = request.json();
    checkFields(body, videoRules, 400);
    const model = stringOr(body["model_name"], "kling-v1");
    if (!videoModel.test(model)) throw badRequest("model_name value is invalid", "model_name");
    const needed = from === "text" ? "prompt" : "image";
    if (typeof body[needed] !== "string") throw badRequest(`${needed} is required`, needed);
    const mode = body["mode"] === "pro" || model.endsWith("-master") ? "pro" : "std";
    const seconds = secondsIn(body, model);
    const units = unitsFor({ model, mode, seconds, hasSound: body["sound"] === "on" });
    const ratio = stringOr(body["aspect_ratio"], "16:9");
    const size = sizeOfRatio(ratio, videoPixels[mode], 4) ?? { width: 1_280, height: 720 };
    return begun(request, { kind: "video", ...size, seconds, units });
  };
}

/** Five or ten seconds as a text, with the third version any from 3 to 15. */
function secondsIn({ duration }: JsonObject, model: string): number {
  const asked = numberIn(duration) ?? 5;
  const isFree = model.startsWith("kling-v3") && asked >= 3 && asked <= longestSeconds;
  if (asked === 5 || asked === 10 || (isFree && Number.isInteger(asked))) return asked;
  throw badRequest("duration value is invalid", "duration");
}

/** POST /v1/images/generations. */
export function submitPicture(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, pictureRules, 400);
  const count = numberIn(body["n"]) ?? 1;
  const ratio = stringOr(body["aspect_ratio"], "16:9");
  const size = sizeOfRatio(ratio, picturePixels, 4);
  if (size === undefined) throw badRequest("aspect_ratio value is invalid", "aspect_ratio");
  return begun(request, { kind: "picture", ...size, count, units: count * 8 });
}

function begun(request: RunRequest, facts: JsonObject): RunAnswer {
  const job = request.begin(facts);
  return json(enveloped(request, { task_id: job.id, task_status: "submitted", ...timesOf(job.begunAt) }));
}

function timesOf(at: number): JsonObject {
  return { created_at: at, updated_at: at };
}
