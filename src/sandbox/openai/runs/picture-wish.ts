import { numberIn, stringOr } from "../../json.ts";
import type { JsonObject } from "../../json.ts";
import { badRequest } from "../../refusal.ts";

export type PictureWish = {
  readonly width: number;
  readonly height: number;
  readonly quality: string;
  readonly format: "png" | "jpeg" | "webp";
  readonly count: number;
  /** Pictures shown before the last one, in a stream. */
  readonly partials: number;
  /** Answered with an address instead of data. */
  readonly isByAddress: boolean;
};

const largestSide = 3_840;

export function pictureWish(body: JsonObject): PictureWish {
  const isOld = stringOr(body["model"], "").startsWith("dall-e");
  const quality = stringOr(body["quality"], "auto");
  const format = body["output_format"];
  return {
    ...sizeIn(stringOr(body["size"], "auto")),
    quality: quality === "auto" ? "high" : quality,
    format: format === "jpeg" || format === "webp" ? format : "png",
    count: numberIn(body["n"]) ?? 1,
    partials: numberIn(body["partial_images"]) ?? 0,
    isByAddress: isOld && body["response_format"] !== "b64_json",
  };
}

function sizeIn(written: string): Pick<PictureWish, "width" | "height"> {
  if (written === "auto") return { width: 1_024, height: 1_024 };
  const [, width, height] = /^(\d{3,4})x(\d{3,4})$/.exec(written) ?? [];
  const size = { width: Number(width), height: Number(height) };
  if (size.width <= largestSide && size.height <= largestSide) return size;
  throw badRequest("'size' must be auto or a width and a height such as 1024x1024.", "size");
}

/** Tokens of a picture of 1024 × 1024 by quality; others in proportion to their pixels. */
const squareTokens: Readonly<Record<string, number>> = { low: 272, medium: 1_056, high: 4_160 };
const squarePixels = 1_048_576;

export function pictureTokens({
  quality,
  width,
  height,
}: Pick<PictureWish, "quality" | "width" | "height">): number {
  return Math.round(((squareTokens[quality] ?? 4_160) * width * height) / squarePixels);
}
