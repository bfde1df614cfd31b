import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { fits, inputOf, listedValues } from "./fitted-inputs.ts";

const form = /^(\d{2,5})[x*](\d{2,5})$/;
/** Names that models have for the size as one text. */
const names = ["size", "image_size", "resolution"] as const;
/** How far a shape may be from the asked one to be called the same; 1792x1024 is nearly 16:9. */
const tolerance = 0.03;

/** Inputs for a size such as `1536x1024` or `auto`; `isExact` is false for a picture of the same shape only. */
export type SizeInputs = { readonly inputs: JsonObject; readonly isExact: boolean };

/** Undefined when the model cannot be told anything like it. What is no size at all is left for the model to refuse. */
export function sizeInputs(model: RunModel, size: unknown): SizeInputs | undefined {
  const name = names.find((one) => inputOf(model, one) !== undefined);
  const [, across, down] = typeof size === "string" ? (form.exec(size) ?? []) : [];
  if (across === undefined || down === undefined) return sizeInWords(model, { name, size });
  const [width, height] = [Number(across), Number(down)];
  // Width and height have bounds, where the same model's size as one text has only a form.
  const isMeasured = inputOf(model, "width") !== undefined && inputOf(model, "height") !== undefined;
  const exact = isMeasured
    ? fitting(model, { width, height })
    : // Some clients write `1024*1536`.
      name && (fitting(model, { [name]: size }) ?? fitting(model, { [name]: `${across}x${down}` }));
  if (exact) return { inputs: exact, isExact: true };
  const ratio = nearestRatio(listedValues(model, "aspect_ratio"), width / height);
  return ratio === undefined ? undefined : { inputs: { aspect_ratio: ratio }, isExact: false };
}

function fitting(model: RunModel, inputs: JsonObject): JsonObject | undefined {
  return Object.entries(inputs).every(([name, value]) => fits(model, name, value)) ? inputs : undefined;
}

type Wording = { readonly name: string | undefined; readonly size: unknown };

/** A size such as `auto`, or one of a model's own names. */
function sizeInWords(model: RunModel, { name, size }: Wording): SizeInputs {
  const isAuto = size === "auto" && (name === undefined || !fits(model, name, size));
  return { inputs: isAuto ? {} : { [name ?? "size"]: size }, isExact: true };
}

function nearestRatio(listed: readonly unknown[], wanted: number): string | undefined {
  let best: { readonly text: string; readonly distance: number } | undefined;
  for (const text of listed) {
    const [, across, down] = typeof text === "string" ? (/^(\d+):(\d+)$/.exec(text) ?? []) : [];
    if (typeof text !== "string" || across === undefined) continue;
    const distance = Math.abs(Math.log(Number(across) / Number(down) / wanted));
    if (distance <= tolerance && distance < (best?.distance ?? Infinity)) best = { text, distance };
  }
  return best?.text;
}
