import type { Sharp } from "sharp";
import type { EngineContext } from "../engine.ts";
import { inputFile } from "../input-file.ts";
import type { InputValues } from "../input-values.ts";
import { pictureFailure } from "./picture-failure.ts";
import { maxPictureBytes, maxSourcePixels, workSeconds } from "./picture-limits.ts";
import { sharpLibrary } from "./sharp-library.ts";

export type SourceFormat = "png" | "jpeg" | "webp" | "avif" | "gif" | "tiff";

export type SourcePicture = {
  /** As the inputs name it: `overlays[1].image`. */
  readonly place: string;
  /** Turned upright as its EXIF data says; ready for one chain of operations. */
  readonly pipeline: Sharp;
  readonly format: SourceFormat;
  /** As seen, turned upright. */
  readonly width: number;
  readonly height: number;
};

/** Reads the picture that `image` or `image_url` names; of a moving one the first frame. */
export async function sourcePicture(context: EngineContext, inputs: InputValues): Promise<SourcePicture> {
  const name = inputs.has("image_url") && !inputs.has("image") ? "image_url" : "image";
  const file = await inputFile(context, { inputs, name, maxBytes: maxPictureBytes });
  if (file === undefined)
    throw inputs.refusal(name, `Send a picture as ${inputs.place("image")} or ${inputs.place("image_url")}.`);
  const format = formatOf(file.bytes);
  const place = inputs.place(name);
  if (format === undefined)
    throw inputs.refusal(name, `${place} is no PNG, JPEG, WebP, AVIF, GIF or TIFF picture.`);
  const size = await seenSize(file.bytes, place);
  if (size.width * size.height > maxSourcePixels)
    throw inputs.refusal(
      name,
      `${place} has ${size.width}×${size.height} pixels; at most ${maxSourcePixels / 1_000_000} million are read.`,
    );
  return { place, pipeline: openPicture(file.bytes), format, ...size };
}

/** The size is checked here as well: it is the decoder's own check that stands between a bomb and the memory. */
function openPicture(bytes: Buffer): Sharp {
  const options = { limitInputPixels: maxSourcePixels, failOn: "error", autoOrient: true } as const;
  return sharpLibrary()(bytes, options).timeout({ seconds: workSeconds });
}

/** Reads the header only. */
async function seenSize(bytes: Buffer, place: string): Promise<{ width: number; height: number }> {
  try {
    const { autoOrient } = await sharpLibrary()(bytes, { limitInputPixels: false }).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch (error) {
    throw pictureFailure(error, place);
  }
}

/**
 * By the first bytes: SVG and all other formats that are programs or refer to other files are not let in, whatever they
 * are called.
 */
function formatOf(bytes: Buffer): SourceFormat | undefined {
  const start = bytes.toString("latin1", 0, 12);
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "webp";
  if (/^GIF8[79]a/.test(start)) return "gif";
  if (start.startsWith("II*\0") || start.startsWith("MM\0*")) return "tiff";
  return /^.{4}ftyp/s.test(start) && /avi[fs]/.test(bytes.toString("latin1", 8, 64)) ? "avif" : undefined;
}
