import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";

export type Size = { readonly width: number; readonly height: number };

/** The size of a ratio such as `16:9` with about so many pixels; undefined for what is no ratio. */
export function sizeOfRatio(ratio: unknown, pixels: number, step: number): Size | undefined {
  const [, wide = "", high = ""] = /^([1-9]\d{0,2}):([1-9]\d{0,2})$/.exec(String(ratio)) ?? [];
  if (wide === "" || high === "") return undefined;
  const stretch = Math.sqrt(Number(wide) / Number(high));
  const side = Math.sqrt(pixels);
  const stepped = (length: number): number => Math.max(step, Math.round(length / step) * step);
  return { width: stepped(side * stretch), height: stepped(side / stretch) };
}

const named: Readonly<Record<string, Size>> = {
  square_hd: { width: 1_024, height: 1_024 },
  square: { width: 512, height: 512 },
  portrait_4_3: { width: 768, height: 1_024 },
  portrait_16_9: { width: 576, height: 1_024 },
  landscape_4_3: { width: 1_024, height: 768 },
  landscape_16_9: { width: 1_024, height: 576 },
};

/** The size an input asks for, in any of the ways in which models are asked: pixels, `1024x768`, a ratio, a name. */
export function sizeIn(input: JsonObject, otherwise: Size): Size {
  const { width, height, size, image_size: imageSize, aspect_ratio: ratio } = input;
  if (typeof width === "number" && typeof height === "number") return { width, height };
  if (isObject(imageSize)) return sizeIn(imageSize, otherwise);
  if (typeof imageSize === "string") return named[imageSize] ?? otherwise;
  const [, wide, high] = /^(\d{2,4})[x*](\d{2,4})$/.exec(String(size)) ?? [];
  if (wide !== undefined && high !== undefined) return { width: Number(wide), height: Number(high) };
  return sizeOfRatio(ratio, otherwise.width * otherwise.height, 16) ?? otherwise;
}
