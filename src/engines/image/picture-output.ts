import type { Sharp } from "sharp";
import { Problem } from "../../core/problems.ts";
import type { EngineFile, EngineResult } from "../engine.ts";
import { colourIn, white } from "./colour.ts";
import type { Colour } from "./colour.ts";
import { badInput } from "../input-values.ts";
import type { InputValues } from "../input-values.ts";
import { pictureFailure } from "./picture-failure.ts";
import type { PictureJob } from "./picture-job.ts";
import { maxAvifPixels, maxPictureBytes } from "./picture-limits.ts";
import type { Size } from "./picture-limits.ts";
import type { SourceFormat } from "./source-picture.ts";

const formats = ["png", "jpeg", "jpg", "webp", "avif"] as const;

export type OutputFormat = "png" | "jpeg" | "webp" | "avif";

export type EncodingWish = {
  /** Undefined: that of the source, or PNG. GIF and TIFF are not written. */
  readonly format: OutputFormat | undefined;
  /** 1 to 100; undefined leaves it to the format. */
  readonly quality: number | undefined;
  /** Behind what is transparent, for JPEG, which knows no transparency. */
  readonly background: Colour;
};

/** Read before any file is fetched, like all inputs: what is refused costs nobody anything. */
export function encodingIn(inputs: InputValues): EncodingWish {
  const told = inputs.choice("format", formats);
  return {
    format: told === "jpg" ? "jpeg" : told,
    quality: inputs.number("quality", { min: 1, max: 100, whole: true }),
    background: colourIn(inputs, "background") ?? white,
  };
}

type Encoding = {
  readonly wish: EncodingWish;
  /** The largest that the picture may come out. */
  readonly size: Size;
  readonly source?: {
    readonly format: SourceFormat;
    /** The input to blame for what turns out to be unreadable. */
    readonly place: string;
  };
};

/** Writes the picture without any of the source's metadata: no EXIF, no place, no names; colours as sRGB. */
export async function encode(
  { atWork }: PictureJob,
  pipeline: Sharp,
  { wish, size, source }: Encoding,
): Promise<EngineResult> {
  const format = wish.format ?? keptFormat(source?.format);
  if (format === "avif" && size.width * size.height > maxAvifPixels)
    throw badInput(
      "format",
      `An AVIF picture has at most ${maxAvifPixels / 1_000_000} million pixels. Make it smaller, or choose webp.`,
    );
  const encoded = encoderOf(pipeline, format, wish);
  try {
    const { data, info } = await atWork(() => encoded.toBuffer({ resolveWithObject: true }));
    const { width, height } = info;
    return pictureResult({ bytes: data, contentType: `image/${format}` }, { width, height });
  } catch (error) {
    throw pictureFailure(error, source?.place);
  }
}

function keptFormat(source: SourceFormat | undefined): OutputFormat {
  return source === undefined || source === "gif" || source === "tiff" ? "png" : source;
}

export function pictureResult(file: EngineFile, { width, height }: Size): EngineResult {
  if (file.bytes.length > maxPictureBytes)
    throw new Problem("invalid_request", {
      message: `The picture would have more than ${maxPictureBytes / 1_000_000} MB. Make it smaller, or choose another format.`,
    });
  const image = { url: { $file: 0 }, width, height, content_type: file.contentType };
  return { output: { images: [image] }, files: [file], usage: { images: 1 } };
}

function encoderOf(pipeline: Sharp, format: OutputFormat, { quality, background }: EncodingWish): Sharp {
  switch (format) {
    case "png":
      return pipeline.png();
    case "jpeg":
      return pipeline.flatten({ background }).jpeg({ quality: quality ?? 85 });
    case "webp":
      return pipeline.webp({ quality: quality ?? 82 });
    case "avif":
      // More effort takes several times as long for a few per cent.
      return pipeline.avif({ quality: quality ?? 55, effort: 1 });
  }
}
