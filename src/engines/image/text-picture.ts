import type { EngineResult } from "../engine.ts";
import { black, colourIn, sameColour, svgFill, white } from "./colour.ts";
import type { Colour } from "./colour.ts";
import type { InputValues } from "../input-values.ts";
import type { PictureJob } from "./picture-job.ts";
import { sizeIn } from "./picture-limits.ts";
import type { Size } from "./picture-limits.ts";
import { encode, encodingIn } from "./picture-output.ts";
import { drawSvg } from "./draw-svg.ts";
import { fontIn, isVisible, svgDocument, svgLine } from "./svg-text.ts";
import type { FontFamily, Placed, TextStyle } from "./svg-text.ts";
import { wrappedLines } from "./text-lines.ts";

const standardSize: Size = { width: 1200, height: 630 };
const largestSide = 4096;
/** Pixels; smaller letters are only made when they are asked for. */
const smallestFont = 10;
const fontSizes = { min: 4, max: 512 };
const lineHeight = 1.3;

type Wish = {
  readonly title: string;
  readonly body: string;
  readonly size: Size;
  readonly family: FontFamily;
  readonly align: "left" | "center" | "right";
  readonly colour: Colour;
  readonly titleColour: Colour;
  readonly background: Colour;
  /** Of the body; undefined takes what fills the picture well. */
  readonly fontSize: number | undefined;
};

/** A title and a text on a plain ground: letters become smaller until all of it fits. */
export async function text(job: PictureJob): Promise<EngineResult> {
  const { inputs } = job;
  const encoding = encodingIn(inputs);
  const wish = readWish(inputs);
  const lines = layOut(wish);
  if (lines === undefined)
    throw inputs.refusal(
      wish.body === "" ? "title" : "body",
      "The text does not fit. Make the picture larger.",
    );
  const ground = `<rect width="100%" height="100%" ${svgFill(wish.background)}/>`;
  const drawn = lines.map((line) => svgLine(line.text, line.style, line.at)).join("");
  const pipeline = await drawSvg(job, svgDocument(wish.size, ground + drawn));
  return encode(job, pipeline, { wish: encoding, size: wish.size });
}

function readWish(inputs: InputValues): Wish {
  return {
    ...wordsIn(inputs),
    ...coloursIn(inputs),
    size: sizeIn(inputs, standardSize, largestSide),
    family: fontIn(inputs),
    align: inputs.choice("align", ["left", "center", "right"]) ?? "left",
    fontSize: inputs.number("font_size", fontSizes),
  };
}

function wordsIn(inputs: InputValues): Pick<Wish, "title" | "body"> {
  const title = inputs.text("title", 300) ?? "";
  const body = inputs.text(inputs.has("body") ? "body" : "text", 5000) ?? "";
  if (!isVisible(title + body)) throw inputs.refusal("title", "Send title, body, or both.");
  return { title: isVisible(title) ? title : "", body: isVisible(body) ? body : "" };
}

function coloursIn(inputs: InputValues): Pick<Wish, "colour" | "titleColour" | "background"> {
  const background = colourIn(inputs, "background") ?? white;
  const colour = colourIn(inputs, "color") ?? black;
  const titleColour = colourIn(inputs, "title_color") ?? colour;
  for (const [name, value] of Object.entries({ color: colour, title_color: titleColour }))
    if (sameColour(value, background))
      throw inputs.refusal(name, `${name} is the colour of the background: nothing would be seen.`);
  return { background, colour, titleColour };
}

type Line = { readonly text: string; readonly style: TextStyle; readonly at: Placed };

/** With the largest letters that fit; a size that was asked for is kept. Undefined when not even the smallest fit. */
function layOut(wish: Wish): readonly Line[] | undefined {
  const { width, height } = wish.size;
  const sizes = wish.fontSize === undefined ? sizesFrom(Math.min(width / 20, height / 8)) : [wish.fontSize];
  let best: readonly Line[] | undefined;
  let [low, high] = [0, sizes.length - 1];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const lines = layOutAt(wish, sizes[middle] ?? smallestFont);
    if (lines === undefined) low = middle + 1;
    else [best, high] = [lines, middle - 1];
  }
  return best;
}

function sizesFrom(largest: number): readonly number[] {
  const sizes: number[] = [];
  for (let size = largest; size > smallestFont; size *= 0.92) sizes.push(size);
  return [...sizes, smallestFont];
}

function layOutAt(wish: Wish, fontSize: number): readonly Line[] | undefined {
  const { width, height } = wish.size;
  const padding = Math.round(Math.min(width, height) * 0.08);
  const blocks = [
    { text: wish.title, style: styleOf(wish, fontSize, true) },
    { text: wish.body, style: styleOf(wish, fontSize, false) },
  ].filter((block) => block.text !== "");
  const lines = blocks.flatMap(({ text: content, style }) => {
    const maxWidth = (width - 2 * padding) / style.fontSize;
    return wrappedLines(content, { maxWidth, isBold: style.isBold }).map((line) => ({ text: line, style }));
  });
  const gap = blocks.length > 1 ? fontSize * 0.6 : 0;
  const total = lines.reduce((sum, { style }) => sum + style.fontSize * lineHeight, gap);
  if (total > height - 2 * padding) return undefined;
  return placeLines(lines, { wish, padding, top: (height - total) / 2, gap });
}

function styleOf(wish: Wish, fontSize: number, isTitle: boolean): TextStyle {
  return {
    family: wish.family,
    fontSize: Math.round(isTitle ? fontSize * 1.6 : fontSize),
    isBold: isTitle,
    colour: isTitle ? wish.titleColour : wish.colour,
  };
}

type Frame = {
  readonly wish: Wish;
  readonly padding: number;
  readonly top: number;
  /** Between the title and the body. */
  readonly gap: number;
};

function placeLines(lines: readonly Omit<Line, "at">[], { wish, padding, top, gap }: Frame): readonly Line[] {
  const { width } = wish.size;
  const across = {
    left: { x: padding, anchor: "start" },
    center: { x: width / 2, anchor: "middle" },
    right: { x: width - padding, anchor: "end" },
  } as const;
  let y = top;
  let wasTitle = lines[0]?.style.isBold ?? false;
  return lines.map(({ text: content, style }) => {
    if (wasTitle && !style.isBold) y += gap;
    wasTitle = style.isBold;
    const at = { ...across[wish.align], y: Math.round(y + style.fontSize) };
    y += style.fontSize * lineHeight;
    return { text: content, style, at };
  });
}
