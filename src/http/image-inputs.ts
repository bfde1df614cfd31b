import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { fits, fitted, inputOf } from "./fitted-inputs.ts";
import type { FittedInputs, Vocabulary } from "./fitted-inputs.ts";
import { sizeInputs } from "./image-size.ts";

const vocabulary: Vocabulary = {
  quality: ["standard", "hd", "low", "medium", "high", "auto"],
  style: ["vivid", "natural"],
  background: ["transparent", "opaque", "auto"],
  output_format: ["png", "jpeg", "webp"],
  output_compression: [],
  moderation: ["low", "auto"],
  input_fidelity: ["high", "low"],
  partial_images: [],
  user: [],
};

/** OpenAI's older models and its newer ones call the same quality by different names. */
const sameQuality: ReadonlyMap<unknown, string> = new Map([
  ["hd", "high"],
  ["high", "hd"],
  ["standard", "medium"],
  ["medium", "standard"],
]);

/** Names that models have for the number of pictures. */
const counts = ["n", "num_images", "num_outputs"] as const;

/** Members that the door itself answers to. */
const own: ReadonlySet<string> = new Set(["model", "response_format", "stream", "size", "n"]);

/** A model that only ever does one thing to a picture needs no words. */
const wordless: Vocabulary = { ...vocabulary, prompt: [] };
const words = ["prompt", "text", "input", "description"];

/** OpenAI's request for pictures as inputs of any image model. */
export function imageInputs(model: RunModel, body: JsonObject): FittedInputs {
  const others = Object.entries(body)
    .filter(([name]) => !own.has(name))
    .map(([name, value]) => [name, name === "quality" ? qualityFor(model, value) : value] as const);
  const takesWords = words.some((name) => inputOf(model, name) !== undefined);
  const known = takesWords ? vocabulary : wordless;
  const { inputs, dropped } = fitted(model, Object.fromEntries(others), known);
  const size = body["size"] ?? undefined;
  const sized = size === undefined ? undefined : sizeInputs(model, size);
  const count = countInputs(model, body["n"] ?? undefined);
  return {
    inputs: { ...inputs, ...sized?.inputs, ...count },
    dropped: [...dropped, ...(size !== undefined && sized?.isExact !== true ? ["size"] : [])],
  };
}

function qualityFor(model: RunModel, value: unknown): unknown {
  const other = sameQuality.get(value);
  return other !== undefined && !fits(model, "quality", value) && fits(model, "quality", other)
    ? other
    : value;
}

/** One picture is what a model makes that has no number. */
function countInputs(model: RunModel, n: unknown): JsonObject {
  if (n === undefined) return {};
  const name = counts.find((one) => inputOf(model, one) !== undefined);
  if (name !== undefined) return { [name]: n };
  if (n === 1) return {};
  const message = "n: this model makes one image; call it once for each.";
  throw new Problem("invalid_request", { param: "n", message });
}
