import type { OverlayOptions } from "sharp";
import { isJsonObject } from "../../core/json-object.ts";
import type { EngineResult } from "../engine.ts";
import { gravities } from "./change-picture.ts";
import { colourIn, white } from "./colour.ts";
import { drawSvg } from "./draw-svg.ts";
import { InputValues } from "../input-values.ts";
import type { PictureJob } from "./picture-job.ts";
import { checkSize, maxSide } from "./picture-limits.ts";
import type { Size } from "./picture-limits.ts";
import { encode, encodingIn } from "./picture-output.ts";
import { pictureFailure } from "./picture-failure.ts";
import { sourcePicture } from "./source-picture.ts";
import { fontIn, isVisible, svgDocument, svgLine } from "./svg-text.ts";
import { estimatedWidth } from "./text-lines.ts";

const maxOverlays = 10;
/** Pixels; of smaller letters nothing is left. */
const smallestFont = 3;
const fontSizes = { min: 6, max: 1000 };

/** Lays pictures (`overlays`, the first lowest) and a line of text (`watermark`) over the picture. */
export async function compose(job: PictureJob): Promise<EngineResult> {
  const { context, inputs } = job;
  const wish = encodingIn(inputs);
  const overlays = inputs.objects("overlays", maxOverlays);
  const watermark = watermarkIn(inputs);
  if (overlays.length === 0 && watermark === undefined)
    throw inputs.refusal("overlays", "Send overlays, watermark, or both.");
  const base = await sourcePicture(context, inputs);
  checkSize(inputs, "image", base);
  const layers: OverlayOptions[] = [];
  // One after the other: each holds a whole picture in memory.
  for (const overlay of overlays) layers.push(await overlayOf(job, overlay, base));
  if (watermark !== undefined) layers.push(await textLayer(job, watermark, base));
  return encode(job, base.pipeline.composite(layers), { wish, size: base, source: base });
}

/** An overlay that is larger than the picture is made to fit: the ground never grows. */
async function overlayOf(job: PictureJob, overlay: InputValues, base: Size): Promise<OverlayOptions> {
  const side = { min: 1, max: maxSide, whole: true };
  const wish = { width: overlay.number("width", side), height: overlay.number("height", side) };
  const opacity = overlay.number("opacity", { min: 0, max: 1 }) ?? 1;
  const position = positionIn(overlay, "centre");
  const picture = await sourcePicture(job.context, overlay);
  const box = {
    width: Math.min(wish.width ?? (wish.height === undefined ? picture.width : base.width), base.width),
    height: Math.min(wish.height ?? (wish.width === undefined ? picture.height : base.height), base.height),
  };
  const fit = wish.width !== undefined && wish.height !== undefined ? "fill" : "inside";
  const fitted = picture.pipeline
    .resize({ ...box, fit })
    .composite(opacity < 1 ? [veilOf(opacity)] : [])
    .png({ compressionLevel: 1 });
  try {
    return { input: await job.atWork(() => fitted.toBuffer()), ...position };
  } catch (error) {
    throw pictureFailure(error, picture.place);
  }
}

/** One pixel over and over, of which only the opacity is taken. */
function veilOf(opacity: number): OverlayOptions {
  const pixel = Buffer.from([0, 0, 0, Math.round(opacity * 255)]);
  return { input: pixel, raw: { width: 1, height: 1, channels: 4 }, tile: true, blend: "dest-in" };
}

/** `left` and `top` together, in pixels, may lie outside; otherwise `gravity`. */
function positionIn(
  inputs: InputValues,
  standard: (typeof gravities)[number],
): Pick<OverlayOptions, "left" | "top" | "gravity"> {
  const range = { min: -maxSide, max: maxSide, whole: true };
  const left = inputs.number("left", range);
  const top = inputs.number("top", range);
  const gravity = inputs.choice("gravity", gravities) ?? standard;
  return left === undefined && top === undefined ? { gravity } : { left: left ?? 0, top: top ?? 0 };
}

/** A text alone stands for an object with only that. */
function watermarkIn(inputs: InputValues): InputValues | undefined {
  const value = inputs.value("watermark");
  if (value === undefined) return undefined;
  const isText = typeof value === "string";
  if (!isText && !isJsonObject(value))
    throw inputs.refusal("watermark", "watermark is a text, or an object with text.");
  const watermark = new InputValues(isText ? { text: value } : value, "watermark");
  if (!isVisible(watermark.text("text", 200) ?? ""))
    throw watermark.refusal("text", "The watermark has a text of up to 200 characters.");
  // All of it is read before any file is fetched.
  styleIn(watermark);
  watermark.number("font_size", fontSizes);
  positionIn(watermark, "southeast");
  return watermark;
}

async function textLayer(job: PictureJob, watermark: InputValues, base: Size): Promise<OverlayOptions> {
  const content = (watermark.text("text", 200) ?? "").replaceAll(/\s+/g, " ").trim();
  const width = estimatedWidth(content, true);
  const wished = watermark.number("font_size", fontSizes) ?? Math.min(base.width, base.height) / 16;
  // Half a letter on each side, and all of it within the picture.
  const fontSize = Math.min(wished, base.width / (width + 1), base.height / 1.5);
  if (fontSize < smallestFont) throw watermark.refusal("text", "The picture is too small for this text.");
  const size = {
    width: Math.min(Math.ceil(fontSize * (width + 1)), base.width),
    height: Math.min(Math.ceil(fontSize * 1.5), base.height),
  };
  const style = { ...styleIn(watermark), fontSize, isBold: true };
  const line = svgLine(content, style, { x: size.width / 2, anchor: "middle", y: fontSize * 1.1 });
  const drawn = await drawSvg(job, svgDocument(size, `<g opacity="${style.opacity}">${line}</g>`));
  const input = await job.atWork(() => drawn.png({ compressionLevel: 1 }).toBuffer());
  return { input, ...positionIn(watermark, "southeast") };
}

function styleIn(watermark: InputValues) {
  const colour = colourIn(watermark, "color") ?? white;
  if (colour.alpha === 0) throw watermark.refusal("color", "Nothing would be seen of the watermark.");
  return {
    colour,
    family: fontIn(watermark),
    opacity: watermark.number("opacity", { min: 0.01, max: 1 }) ?? 0.6,
  };
}
