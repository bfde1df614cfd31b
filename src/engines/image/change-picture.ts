import type { EngineResult } from "../engine.ts";
import { colourIn, nothing } from "./colour.ts";
import type { InputValues } from "../input-values.ts";
import type { PictureJob } from "./picture-job.ts";
import { checkSize, maxSide } from "./picture-limits.ts";
import type { Size } from "./picture-limits.ts";
import { encode, encodingIn } from "./picture-output.ts";
import { sourcePicture } from "./source-picture.ts";

export const gravities = [
  ...(["centre", "center", "north", "northeast", "east", "southeast"] as const),
  ...(["south", "southwest", "west", "northwest"] as const),
] as const;

const fits = ["inside", "cover", "contain", "fill", "outside"] as const;

/** A width or a height in pixels. */
const side = { min: 1, max: maxSide, whole: true };

/**
 * `width` and/or `height`; `fit` says what happens when both are given and the shape differs: by default the picture
 * keeps its shape and fits inside. Without `enlarge` nothing becomes larger than it was.
 */
export async function resize(job: PictureJob): Promise<EngineResult> {
  const { context, inputs } = job;
  const encoding = encodingIn(inputs);
  const wish = readResize(inputs);
  const source = await sourcePicture(context, inputs);
  const size = resultingSize(source, wish);
  checkSize(inputs, wish.width === undefined ? "height" : "width", size);
  const resized = source.pipeline.resize({
    ...(wish.width === undefined ? {} : { width: wish.width }),
    ...(wish.height === undefined ? {} : { height: wish.height }),
    fit: wish.fit,
    position: wish.gravity,
    withoutEnlargement: !wish.enlarge,
    background: wish.background,
  });
  return encode(job, resized, { wish: encoding, size, source });
}

function readResize(inputs: InputValues) {
  const width = inputs.number("width", side);
  const height = inputs.number("height", side);
  if (width === undefined && height === undefined)
    throw inputs.refusal("width", "Send width, height, or both.");
  return {
    width,
    height,
    fit: inputs.choice("fit", fits) ?? "inside",
    gravity: inputs.choice("gravity", gravities) ?? "centre",
    enlarge: inputs.flag("enlarge"),
    background: colourIn(inputs, "background") ?? nothing,
  };
}

/** The largest size that may come out: a side that is not told follows from the other. */
function resultingSize(source: Size, { width, height, fit, enlarge }: ReturnType<typeof readResize>): Size {
  const [across, down] = [(width ?? 0) / source.width, (height ?? 0) / source.height];
  const isBox = width !== undefined && height !== undefined;
  if (isBox && fit !== "inside" && fit !== "outside") return { width, height };
  const wished = isBox && fit === "inside" ? Math.min(across, down) : Math.max(across, down);
  const scale = enlarge ? wished : Math.min(wished, 1);
  return { width: Math.round(source.width * scale), height: Math.round(source.height * scale) };
}

/** Another format, or the same with another quality. */
export async function convert(job: PictureJob): Promise<EngineResult> {
  const { context, inputs } = job;
  const wish = encodingIn(inputs);
  if (!inputs.has("format") && !inputs.has("quality"))
    throw inputs.refusal("format", "Send the format: png, jpeg, webp or avif.");
  const source = await sourcePicture(context, inputs);
  checkSize(inputs, "image", source);
  return encode(job, source.pipeline, { wish, size: source, source });
}

/** The rectangle at `left`, `top`; without them in the middle, or at `gravity`. */
export async function crop(job: PictureJob): Promise<EngineResult> {
  const { context, inputs } = job;
  const encoding = encodingIn(inputs);
  const corner = { min: 0, max: 1_000_000, whole: true };
  const told = { width: inputs.number("width", side), height: inputs.number("height", side) };
  const at = { left: inputs.number("left", corner), top: inputs.number("top", corner) };
  const gravity = inputs.choice("gravity", gravities) ?? "centre";
  const source = await sourcePicture(context, inputs);
  const width = told.width ?? source.width - (at.left ?? 0);
  const height = told.height ?? source.height - (at.top ?? 0);
  const left = at.left ?? along(gravity, source.width - width, ["west", "east"]);
  const top = at.top ?? along(gravity, source.height - height, ["north", "south"]);
  if (!liesWithin(left, width, source.width))
    throw inputs.refusal("width", `The picture is ${source.width} pixels wide; the cut must lie within.`);
  if (!liesWithin(top, height, source.height))
    throw inputs.refusal("height", `The picture is ${source.height} pixels high; the cut must lie within.`);
  const size = { width, height };
  checkSize(inputs, "width", size);
  return encode(job, source.pipeline.extract({ left, top, width, height }), { wish: encoding, size, source });
}

function liesWithin(start: number, length: number, whole: number): boolean {
  return start >= 0 && length > 0 && start + length <= whole;
}

function along(gravity: string, space: number, [start, end]: readonly [string, string]): number {
  if (gravity.includes(start)) return 0;
  return gravity.includes(end) ? space : Math.floor(space / 2);
}

/** `flip` first, then `angle` in degrees, clockwise, about the middle. */
export async function rotate(job: PictureJob): Promise<EngineResult> {
  const { context, inputs } = job;
  const wish = encodingIn(inputs);
  const angle = inputs.number("angle", { min: -360, max: 360 }) ?? 0;
  const flip = inputs.choice("flip", ["horizontal", "vertical", "both"]);
  if (angle === 0 && flip === undefined) throw inputs.refusal("angle", "Send angle in degrees, or flip.");
  const background = colourIn(inputs, "background") ?? nothing;
  const source = await sourcePicture(context, inputs);
  const size = turnedSize(source, angle);
  checkSize(inputs, "angle", size);
  const flipped = source.pipeline
    .flop(flip === "horizontal" || flip === "both")
    .flip(flip === "vertical" || flip === "both");
  return encode(job, angle === 0 ? flipped : flipped.rotate(angle, { background }), { wish, size, source });
}

function turnedSize({ width, height }: Size, degrees: number): Size {
  const cosine = Math.abs(Math.cos((degrees * Math.PI) / 180));
  const sine = Math.abs(Math.sin((degrees * Math.PI) / 180));
  return {
    width: Math.floor(width * cosine + height * sine + 0.001),
    height: Math.floor(width * sine + height * cosine + 0.001),
  };
}
