import type { InputValues } from "../input-values.ts";

export type Colour = {
  /** 0 to 255. */
  readonly r: number;
  readonly g: number;
  readonly b: number;
  /** 0 (nothing) to 1. */
  readonly alpha: number;
};

export const white: Colour = { r: 255, g: 255, b: 255, alpha: 1 };
export const black: Colour = { r: 0, g: 0, b: 0, alpha: 1 };
export const nothing: Colour = { r: 0, g: 0, b: 0, alpha: 0 };

const names: ReadonlyMap<string, string> = new Map(
  (
    "black #000000, white #ffffff, gray #808080, grey #808080, silver #c0c0c0, red #ff0000, maroon #800000, " +
    "orange #ffa500, yellow #ffff00, gold #ffd700, green #008000, lime #00ff00, olive #808000, teal #008080, " +
    "cyan #00ffff, blue #0000ff, navy #000080, purple #800080, magenta #ff00ff, pink #ffc0cb, brown #a52a2a, " +
    "transparent #00000000"
  )
    .split(", ")
    .map((entry): [string, string] => [entry.slice(0, entry.indexOf(" ")), entry.slice(entry.indexOf("#"))]),
);

/** A colour by `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa` or one of the usual names. */
export function colourIn(inputs: InputValues, name: string): Colour | undefined {
  const told = inputs.text(name, 40)?.trim().toLowerCase();
  if (told === undefined) return undefined;
  const hex = names.get(told) ?? told;
  if (!/^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/.test(hex))
    throw inputs.refusal(name, `${inputs.place(name)} is a colour such as #1a2b3c or navy.`);
  const digits = hex.length <= 5 ? hex.slice(1).replaceAll(/./g, "$&$&") : hex.slice(1);
  const [r = 0, g = 0, b = 0, a = 255] = Buffer.from(digits, "hex");
  return { r, g, b, alpha: a / 255 };
}

/** As an SVG attribute takes it; nothing of the customer's own text is in it. */
export function svgFill({ r, g, b, alpha }: Colour): string {
  return `fill="rgb(${r},${g},${b})" fill-opacity="${alpha}"`;
}

export function sameColour(one: Colour, other: Colour): boolean {
  return one.r === other.r && one.g === other.g && one.b === other.b && one.alpha === other.alpha;
}
