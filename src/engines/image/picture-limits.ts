import type { InputValues } from "../input-values.ts";

/** Bytes of a picture that comes in, and of one that goes out. */
export const maxPictureBytes = 25_000_000;
/** Width times height of a picture that comes in. */
export const maxSourcePixels = 50_000_000;
/** Width and height of a picture that goes out. */
export const maxSide = 8192;
/** Of an AVIF picture that goes out: its encoder takes a second for each million or two, and nothing can stop it. */
export const maxAvifPixels = 16_000_000;
/** What libvips may take for one picture before it is stopped. */
export const workSeconds = 30;

export type Size = { readonly width: number; readonly height: number };

/** Refuses what would be too large before any work is done; `name` is the member that is to blame. */
export function checkSize(inputs: InputValues, name: string, { width, height }: Size): void {
  if (width <= maxSide && height <= maxSide) return;
  throw inputs.refusal(
    name,
    `The picture would be ${width}×${height} pixels; a side has at most ${maxSide}. Use resize first.`,
  );
}

/** `width` and `height`, or both at once as `size`: `1200x630`. */
export function sizeIn(inputs: InputValues, standard: Size, max: number): Size {
  const range = { min: 16, max, whole: true };
  const size = inputs.text("size", 20);
  const match = size === undefined ? undefined : /^(\d{2,4})[x×*](\d{2,4})$/i.exec(size);
  if (match === null) throw inputs.refusal("size", "size is like 1200x630.");
  const [, width, height] = match ?? [];
  const told = {
    width: inputs.number("width", range) ?? (width === undefined ? standard.width : Number(width)),
    height: inputs.number("height", range) ?? (height === undefined ? standard.height : Number(height)),
  };
  for (const side of [told.width, told.height])
    if (side < range.min || side > max)
      throw inputs.refusal("size", `A side has ${range.min} to ${max} pixels.`);
  return told;
}
