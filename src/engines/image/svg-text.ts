import type { Colour } from "./colour.ts";
import { svgFill } from "./colour.ts";
import type { InputValues } from "../input-values.ts";

/** From the system: nothing is bundled, and which of them there are is up to the machine. */
export type FontFamily = "sans-serif" | "serif" | "monospace";

export function fontIn(inputs: InputValues): FontFamily {
  const told = inputs.choice("font", ["sans-serif", "serif", "monospace", "sans", "mono"]);
  if (told === "sans") return "sans-serif";
  return told === "mono" ? "monospace" : (told ?? "sans-serif");
}

export type TextStyle = {
  readonly family: FontFamily;
  /** Pixels. */
  readonly fontSize: number;
  readonly isBold: boolean;
  readonly colour: Colour;
};

export type Placed = {
  /** Where the text begins, has its middle, or ends. */
  readonly x: number;
  readonly anchor: "start" | "middle" | "end";
  /** Of the line that letters stand on. */
  readonly y: number;
};

/** One line of text. The customer's own text is in it as characters only, never as markup. */
export function svgLine(text: string, style: TextStyle, { x, anchor, y }: Placed): string {
  const font = `font-family="${style.family}" font-size="${style.fontSize}"${style.isBold ? ' font-weight="bold"' : ""}`;
  const place = `x="${x}" y="${y}" text-anchor="${anchor}"`;
  return `<text ${place} ${font} ${svgFill(style.colour)} xml:space="preserve">${escaped(text)}</text>`;
}

export function svgDocument({ width, height }: { width: number; height: number }, content: string): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`,
  );
}

/** Whether anything of a text can be seen. */
export function isVisible(text: string): boolean {
  return /[^\s\p{C}]/u.test(text);
}

/** Five characters have a meaning in XML; characters that XML does not know, such as NUL, are left out. */
function escaped(text: string): string {
  const known = text
    .toWellFormed()
    .replaceAll(/[^\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, (char) => (char === "\t" ? " " : ""));
  return known.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
