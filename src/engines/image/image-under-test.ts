import assert from "node:assert/strict";
import sharp from "sharp";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { EngineContext, EngineResult } from "../engine.ts";
import { imageEngine } from "./image-engine.ts";

export const engine = imageEngine();

export type Pixels = {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
  /** Red, green, blue and opacity of one pixel. */
  at(x: number, y: number): readonly number[];
};

type Made = { readonly result: EngineResult; readonly bytes: Buffer; readonly contentType: string };

export function contextOf(inputs: JsonObject, more: Partial<EngineContext> = {}): EngineContext {
  return {
    inputs,
    signal: new AbortController().signal,
    fetchFile: () => Promise.reject(new Error("nothing is to be fetched here")),
    ...more,
  };
}

/** Runs the engine and checks what every answer promises: one file, shown with its real size and type, one image to pay. */
export async function make(inputs: JsonObject, more: Partial<EngineContext> = {}): Promise<Made> {
  const result = await engine.run(contextOf(inputs, more));
  const [file, ...others] = result.files;
  assert.ok(file !== undefined && others.length === 0);
  assert.deepEqual(result.usage, { images: 1 });
  const { width, height } = await sizeOf(file.bytes);
  const image = { url: { $file: 0 }, width, height, content_type: file.contentType };
  assert.deepEqual(result.output, { images: [image] });
  return { result, bytes: file.bytes, contentType: file.contentType };
}

async function sizeOf(bytes: Buffer): Promise<{ width: number; height: number }> {
  const { width, height } = await sharp(bytes).metadata();
  return { width, height };
}

export async function pixelsOf(picture: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(picture)
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return {
    width,
    height,
    data,
    at: (x, y) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)],
  };
}

/** Every pixel has another colour: red grows to the right, green downwards. */
export function gradient(width: number, height: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3, 100);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixels.set([x * 4, y * 4], (y * width + x) * 3);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

export function dataUrl(bytes: Buffer, type = "image/png"): string {
  return `data:${type};base64,${bytes.toString("base64")}`;
}

/** The refusal's code, the input it names, and its words. */
export async function refusalOf(
  inputs: JsonObject,
  more: Partial<EngineContext> = {},
): Promise<{ readonly code: string; readonly param: string | null; readonly message: string }> {
  try {
    await engine.run(contextOf(inputs, more));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, param, message } = error;
    return { code, param, message };
  }
  throw new assert.AssertionError({ message: "the run was not refused" });
}

/** Why text cannot be drawn on this machine; undefined where it can. */
export async function whyNoText(): Promise<string | undefined> {
  try {
    await engine.run(contextOf({ operation: "text", title: "x" }));
    return undefined;
  } catch (error) {
    if (error instanceof Problem && error.code === "service_unavailable") return "skipped: no fonts";
    throw error;
  }
}
