import { isUnderstood, takesAnything } from "../calls/runs/input-names.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { inputOf } from "./fitted-inputs.ts";
import type { FittedInputs } from "./fitted-inputs.ts";
import { sizeInputs } from "./image-size.ts";

/**
 * Inputs that clients of the public contract send to every model of a category, whether it can use them or not. A model
 * that has no such input answers without it. Whatever is not in this table is a mistake, and told as one.
 * Source: the public contract's table of inputs by category (SkillBoss-AI/skillboss-skills and heeyo-life/skillboss-skills,
 * `scripts/commands/*.js`; the generated pages of SkillBoss-AI/agent-skills send `prompt` to everything).
 */
const habits: Readonly<Record<string, readonly string[]>> = {
  image: ["prompt", "aspect_ratio", "quality", "num_outputs", "n", "output_format"],
  video: [
    "duration",
    "duration_seconds",
    "aspect_ratio",
    "size",
    "resolution",
    "reference_images",
    "image_urls",
  ],
  tts: ["voice", "voice_id", "voice_setting", "speaker"],
  stt: ["prompt", "language", "filename"],
  music: ["duration"],
  sound: ["duration"],
  search: ["prompt", "max_results"],
  scraper: ["prompt"],
  social_data: ["prompt"],
  document: ["prompt", "settings"],
  sms: ["signals", "variables"],
  email: ["project_id"],
  presentation: ["format", "textOptions"],
  embedding: ["user"],
};

/** The inputs without what the model has no use for, and a picture's size in the words that it has for it. */
export function habitualInputs(model: RunModel, given: JsonObject): FittedInputs {
  if (takesAnything(model)) return { inputs: given, dropped: [] };
  const { size, ...others } = given;
  const isSized = model.category === "image" && size !== undefined && size !== null;
  const sized = isSized ? sizeOf(model, size) : { inputs: size === undefined ? {} : { size }, dropped: [] };
  const inputs = { ...sized.inputs, ...others };
  const dropped = (habits[model.category] ?? []).filter(
    (name) => Object.hasOwn(inputs, name) && !isUnderstood(model, name),
  );
  const kept = Object.entries(inputs).filter(([name]) => !dropped.includes(name));
  return { inputs: Object.fromEntries(kept), dropped: [...dropped, ...sized.dropped] };
}

/** A size that the model lists others of is the model's to refuse, with the list. */
function sizeOf(model: RunModel, size: unknown): FittedInputs {
  const sized = sizeInputs(model, size);
  if (sized !== undefined) return { inputs: sized.inputs, dropped: sized.isExact ? [] : ["size"] };
  if (inputOf(model, "size") !== undefined) return { inputs: { size }, dropped: [] };
  return { inputs: {}, dropped: ["size"] };
}
