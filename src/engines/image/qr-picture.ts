import QRCode from "qrcode";
import type { EngineResult } from "../engine.ts";
import { black, colourIn, sameColour, svgFill, white } from "./colour.ts";
import type { Colour } from "./colour.ts";
import type { InputValues } from "../input-values.ts";
import type { PictureJob } from "./picture-job.ts";
import { pictureResult } from "./picture-output.ts";
import { sharpLibrary } from "./sharp-library.ts";
import { workSeconds } from "./picture-limits.ts";

const levels = ["L", "M", "Q", "H", "low", "medium", "quartile", "high"] as const;
/** What the largest code takes of digits; of other text less. */
const mostChars = 7089;

type Code = {
  /** Modules on each side. */
  readonly modules: number;
  isDark(row: number, column: number): boolean;
};

type Wish = {
  /** Pixels on each side. */
  readonly size: number;
  /** Modules of quiet ground around the code; scanners want 4. */
  readonly margin: number;
  readonly colour: Colour;
  readonly background: Colour;
};

/** A text or an address as a QR code: all modules have the same whole number of pixels. */
export async function qr(job: PictureJob): Promise<EngineResult> {
  const { inputs } = job;
  const wish: Wish = {
    size: inputs.number("size", { min: 32, max: 4096, whole: true }) ?? 512,
    margin: inputs.number("margin", { min: 0, max: 20, whole: true }) ?? 4,
    colour: colourIn(inputs, "color") ?? black,
    background: colourIn(inputs, "background") ?? white,
  };
  const format = inputs.choice("format", ["png", "svg"]) ?? "png";
  if (sameColour(wish.colour, wish.background))
    throw inputs.refusal("color", "color is the colour of the background: nothing would be seen.");
  const code = encodeText(inputs);
  const least = code.modules + 2 * wish.margin;
  if (wish.size < least) throw inputs.refusal("size", `This code needs a size of at least ${least} pixels.`);
  return format === "svg" ? svgResult(code, wish) : pngResult(job, code, wish);
}

function encodeText(inputs: InputValues): Code {
  const name = inputs.has("text") || !inputs.has("data") ? "text" : "data";
  const content = inputs.text(name, mostChars) ?? "";
  if (content === "") throw inputs.refusal(name, "Send the text that the code holds.");
  const errorCorrectionLevel = inputs.choice("error_correction", levels) ?? "M";
  try {
    const { modules } = QRCode.create(content.toWellFormed(), { errorCorrectionLevel });
    return { modules: modules.size, isDark: (row, column) => modules.get(row, column) === 1 };
  } catch {
    throw inputs.refusal(name, `${name} is too long for a QR code with this error correction.`);
  }
}

/** Pixels per module, and where the first module begins: what does not divide widens the margin. */
function gridOf(
  { modules }: Code,
  { size, margin }: Wish,
): { readonly scale: number; readonly start: number } {
  const scale = Math.floor(size / (modules + 2 * margin));
  return { scale, start: Math.floor((size - scale * modules) / 2) };
}

async function pngResult({ atWork }: PictureJob, code: Code, wish: Wish): Promise<EngineResult> {
  const { size } = wish;
  const { scale, start } = gridOf(code, wish);
  const pixels = Buffer.alloc(size * size * 4, pixelOf(wish.background));
  const dark = Buffer.alloc(scale * 4, pixelOf(wish.colour));
  for (let row = 0; row < code.modules * scale; row++)
    for (let column = 0; column < code.modules; column++)
      if (code.isDark(Math.floor(row / scale), column))
        dark.copy(pixels, ((start + row) * size + start + column * scale) * 4);
  const picture = sharpLibrary()(pixels, { raw: { width: size, height: size, channels: 4 } })
    .timeout({ seconds: workSeconds })
    .png({ palette: true });
  const bytes = await atWork(() => picture.toBuffer());
  return pictureResult({ bytes, contentType: "image/png" }, { width: size, height: size });
}

function pixelOf({ r, g, b, alpha }: Colour): Buffer {
  return Buffer.from([r, g, b, Math.round(alpha * 255)]);
}

/** Holds no text of the customer's, only squares. */
function svgResult(code: Code, wish: Wish): EngineResult {
  const { size } = wish;
  const { scale, start } = gridOf(code, wish);
  let path = "";
  for (let row = 0; row < code.modules; row++) {
    for (let column = 0; column < code.modules; column++) {
      if (!code.isDark(row, column)) continue;
      const from = column;
      while (column + 1 < code.modules && code.isDark(row, column + 1)) column += 1;
      const width = (column - from + 1) * scale;
      path += `M${start + from * scale} ${start + row * scale}h${width}v${scale}h-${width}z`;
    }
  }
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${size} ${size}" ` +
    `shape-rendering="crispEdges"><rect width="${size}" height="${size}" ${svgFill(wish.background)}/>` +
    `<path d="${path}" ${svgFill(wish.colour)}/></svg>`;
  return pictureResult(
    { bytes: Buffer.from(svg), contentType: "image/svg+xml" },
    { width: size, height: size },
  );
}
