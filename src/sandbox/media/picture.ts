import { between, randomFrom } from "../answers/random.ts";
import type { Random } from "../answers/random.ts";

/**
 * A made-up picture: a gradient with three shapes on it, in sixteen colours and in cells of 8 × 8 pixels. Cells keep all
 * three encoders small and quick: JPEG works on such blocks anyway, and PNG and WebP repeat the row above seven times.
 */
export type Picture = {
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  /** A palette index from 0 to 15 per cell, row by row. */
  readonly cells: Uint8Array;
  /** Sixteen times red, green, blue. */
  readonly palette: Uint8Array;
};

export const cellPixels = 8;
export const paletteColours = 16;
/** Larger pictures are made this large: nothing a caller writes may cost the process much. */
export const largestSide = 4_096;
const gradientColours = 13;

/** The same seed and size have the same picture. `seed` is a fingerprint, or begins like one. */
export function paint(seed: string, width: number, height: number): Picture {
  const random = randomFrom(seed);
  const size = { width: sideOf(width), height: sideOf(height) };
  const columns = Math.ceil(size.width / cellPixels);
  const rows = Math.ceil(size.height / cellPixels);
  const cells = new Uint8Array(columns * rows);
  const palette = paletteFrom(random);
  const slope = random();
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const along = (column / columns) * slope + (row / rows) * (1 - slope);
      cells[row * columns + column] = Math.min(gradientColours - 1, Math.floor(along * gradientColours));
    }
  }
  for (let shape = gradientColours; shape < paletteColours; shape += 1) {
    draw({ cells, columns, rows }, shape, random);
  }
  return { ...size, columns, rows, cells, palette };
}

function sideOf(asked: number): number {
  return Number.isFinite(asked) ? Math.min(largestSide, Math.max(1, Math.floor(asked))) : 1;
}

type Canvas = { readonly cells: Uint8Array; readonly columns: number; readonly rows: number };

/** A disc or a square somewhere, a twelfth to a quarter of the smaller side in radius. */
function draw({ cells, columns, rows }: Canvas, colour: number, random: Random): void {
  const isDisc = random() < 0.6;
  const radius = Math.max(1, Math.min(columns, rows) * (1 / 12 + random() / 6));
  const middle = { column: random() * columns, row: random() * rows };
  for (
    let row = Math.max(0, Math.floor(middle.row - radius));
    row < Math.min(rows, middle.row + radius);
    row += 1
  ) {
    for (
      let column = Math.max(0, Math.floor(middle.column - radius));
      column < Math.min(columns, middle.column + radius);
      column += 1
    ) {
      const isInside = Math.hypot(column - middle.column, row - middle.row) <= radius;
      if (!isDisc || isInside) cells[row * columns + column] = colour;
    }
  }
}

function paletteFrom(random: Random): Uint8Array {
  const palette = new Uint8Array(paletteColours * 3);
  const hue = between(random, 0, 359);
  for (let at = 0; at < paletteColours; at += 1) {
    const isShape = at >= gradientColours;
    const turn = isShape ? hue + 140 + (at - gradientColours) * 50 : hue + at * 5;
    palette.set(colourOf(turn, isShape ? 0.65 : 0.25 + at * 0.05), at * 3);
  }
  return palette;
}

/** Red, green and blue of a hue in degrees and a lightness from 0 to 1. */
function colourOf(hue: number, lightness: number): readonly [number, number, number] {
  const chroma = 0.7 * Math.min(lightness, 1 - lightness);
  const part = (shift: number): number => {
    const turn = (shift + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(turn - 3, 9 - turn, 1))));
  };
  return [part(0), part(8), part(4)];
}
