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
  if (name !== undefined && fits(model, name, size)) return { inputs: { [name]: size }, isExact: true };
  if (size === "auto") return { inputs: {}, isExact: true };
  const [, across, down] = typeof size === "string" ? (form.exec(size) ?? []) : [];
  if (across === undefined || down === undefined)
    return { inputs: { [name ?? "size"]: size }, isExact: true };
  const [width, height] = [Number(across), Number(down)];
  if (fits(model, "width", width) && fits(model, "height", height))
    return { inputs: { width, height }, isExact: true };
  const ratio = nearestRatio(listedValues(model, "aspect_ratio"), width / height);
  return ratio === undefined ? undefined : { inputs: { aspect_ratio: ratio }, isExact: false };
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
