import { between, randomFrom } from "../answers/random.ts";
import { largestSide } from "./picture.ts";

type Wish = { readonly seed: string; readonly width: number; readonly height: number };

const shapes = 5;

/** A made-up drawing: SVG, circles on a ground. The same seed and size have the same one. */
export function drawingOf({ seed, width, height }: Wish): Buffer {
  const random = randomFrom(seed);
  const [wide, high] = [sideOf(width), sideOf(height)];
  const colour = (): string => `hsl(${between(random, 0, 359)} 60% ${between(random, 30, 80)}%)`;
  const circles = Array.from({ length: shapes }, () => {
    const [x, y] = [between(random, 0, wide), between(random, 0, high)];
    return `<circle cx="${x}" cy="${y}" r="${Math.ceil(Math.min(wide, high) / 4)}" fill="${colour()}"/>`;
  });
  const size = `width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}"`;
  const ground = `<rect width="${wide}" height="${high}" fill="${colour()}"/>`;
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${ground}${circles.join("")}</svg>\n`);
}

function sideOf(asked: number): number {
  return Number.isFinite(asked) ? Math.min(largestSide, Math.max(1, Math.floor(asked))) : 1;
}
