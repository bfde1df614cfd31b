import type { FieldRules } from "../field-rules.ts";
import type { JsonObject } from "../json.ts";
import { sizeOfRatio } from "../media/asked-size.ts";
import type { Size } from "../media/asked-size.ts";

/** A model by the last part of its address: what it takes, and what it costs. */
export type BflModel = {
  readonly rules: FieldRules;
  /** The size of the result when the request names none. */
  readonly size: Size;
  /** Credits of one US cent: for the first megapixel, and for each further one that was begun. */
  readonly credits: { readonly first: number; readonly further: number };
  /** Width and height must be multiples of this. */
  readonly step: number;
};

const common: FieldRules = {
  prompt: { is: "text", isRequired: true },
  seed: { is: "integer" },
  safety_tolerance: { is: "integer", least: 0, most: 6 },
  output_format: { is: "text", oneOf: ["jpeg", "png", "webp"] },
  webhook_url: { is: "text" },
  webhook_secret: { is: "text" },
};

const bySize: FieldRules = {
  ...common,
  width: { is: "integer", least: 64, most: 4_096 },
  height: { is: "integer", least: 64, most: 4_096 },
};

const byAspect: FieldRules = {
  ...common,
  aspect_ratio: { is: "text" },
  prompt_upsampling: { is: "boolean" },
};

const first: FieldRules = {
  ...common,
  width: { is: "integer", least: 256, most: 1_440 },
  height: { is: "integer", least: 256, most: 1_440 },
  prompt_upsampling: { is: "boolean" },
  image_prompt: { is: "text" },
};

const landscape = { width: 1_024, height: 768 };
const square = { width: 1_024, height: 1_024 };

function flux2(firstCredits: number, further: number): BflModel {
  return { rules: bySize, size: square, credits: { first: firstCredits, further }, step: 16 };
}

function flat(credits: number, rules: FieldRules, size: Size): BflModel {
  return { rules, size, credits: { first: credits, further: 0 }, step: rules === first ? 32 : 1 };
}

export const bflModels: ReadonlyMap<string, BflModel> = new Map([
  ["flux-pro-1.1", flat(4, first, landscape)],
  ["flux-pro-1.1-ultra", flat(6, byAspect, { width: 2_752, height: 1_536 })],
  ["flux-dev", flat(2.5, first, landscape)],
  ["flux-kontext-pro", flat(4, byAspect, square)],
  ["flux-kontext-max", flat(8, byAspect, square)],
  ["flux-pro-1.0-fill", flat(5, { ...common, image: { is: "text", isRequired: true } }, square)],
  ["flux-2-pro", flux2(3, 1.5)],
  ["flux-2-max", flux2(7, 3)],
  ["flux-2-flex", flux2(6, 6)],
  ["flux-2-klein-4b", flux2(1.4, 0.1)],
  ["flux-2-klein-9b", flux2(1.5, 0.2)],
]);

const pixelsPerMegapixel = 1_048_576;

/** The size asked for in pixels or as a ratio, else the model's own. */
export function sizeFor(model: BflModel, body: JsonObject): Size {
  const { width, height, aspect_ratio: aspect } = body;
  if (typeof width === "number" || typeof height === "number") {
    return {
      width: typeof width === "number" ? width : model.size.width,
      height: typeof height === "number" ? height : model.size.height,
    };
  }
  return sizeOfRatio(aspect, model.size.width * model.size.height, 32) ?? model.size;
}

/** To two places, as the answer tells it. */
export function megapixelsOf({ width, height }: Size): number {
  return Math.round(((width * height) / pixelsPerMegapixel) * 100) / 100;
}

export function creditsFor({ credits }: BflModel, { width, height }: Size): number {
  const megapixels = Math.max(1, Math.ceil((width * height) / pixelsPerMegapixel));
  return Math.round((credits.first + (megapixels - 1) * credits.further) * 100) / 100;
}
