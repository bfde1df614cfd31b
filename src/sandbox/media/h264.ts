import { randomFrom } from "../answers/random.ts";
import type { Random } from "../answers/random.ts";
import { BitWriter } from "./bit-writer.ts";

/**
 * H.264, baseline, of coloured stripes that change once a second: in a full frame the first row of 16 × 16 blocks is
 * written in plain samples and every other block repeats the block above it; all frames in between repeat the whole.
 */
export type StripedFrames = {
  readonly sequence: Buffer;
  readonly picture: Buffer;
  /** With start lengths of four bytes, as MP4 wants them. */
  fullFrame(at: number): Buffer;
  /** The n-th frame after a full one, from 1. */
  repeatedFrame(n: number): Buffer;
};

const blockPixels = 16;
/** After as many full frames the first one comes again; an even number, as two neighbours must be told apart. */
export const stripes = 8;
const nalKinds = { repeated: 0x41, full: 0x65, sequence: 0x67, picture: 0x68 };

export function stripedFrames(seed: string, width: number, height: number): StripedFrames {
  const columns = Math.ceil(width / blockPixels);
  const rows = Math.ceil(height / blockPixels);
  const random = randomFrom(seed);
  const palette = Array.from({ length: stripes }, () => colourFrom(random));
  return {
    sequence: nal(nalKinds.sequence, sequenceOf({ width, height, columns, rows })),
    picture: nal(nalKinds.picture, pictureParameters()),
    fullFrame: (at) => withLength(nal(nalKinds.full, fullSlice({ at, columns, rows, palette }))),
    repeatedFrame: (n) => withLength(nal(nalKinds.repeated, repeatedSlice(n, columns * rows))),
  };
}

type Grid = { readonly columns: number; readonly rows: number };

function sequenceOf(size: Grid & { readonly width: number; readonly height: number }): Buffer {
  const { width, height, columns, rows } = size;
  // Baseline as everybody can play it, level 5.1 for sizes up to 4K.
  const writer = new BitWriter("high").bits(66, 8).bits(0xc0, 8).bits(51, 8);
  // Frame numbers of four bits, pictures in their order, one to refer to, no gaps.
  writer.golomb(0).golomb(0).golomb(2).golomb(1).bits(0, 1);
  writer
    .golomb(columns - 1)
    .golomb(rows - 1)
    .bits(0b11, 2);
  // What is cut off at the right and at the bottom, in steps of two pixels.
  writer.bits(1, 1).golomb(0);
  writer.golomb((columns * blockPixels - width) >> 1).golomb(0);
  writer.golomb((rows * blockPixels - height) >> 1);
  return writer.bits(0, 1).bits(1, 1).done();
}

function pictureParameters(): Buffer {
  const writer = new BitWriter("high").golomb(0).golomb(0).bits(0, 2).golomb(0).golomb(0).golomb(0);
  // No weights; three offsets of zero; the deblocking filter is told of in each slice.
  return writer.bits(0, 3).golomb(0).golomb(0).golomb(0).bits(0b100, 3).bits(1, 1).done();
}

type Colour = { readonly luma: number; readonly blue: number; readonly red: number };

/** Samples stay away from 0 and 255. */
function colourFrom(random: Random): Colour {
  const sample = (): number => 48 + Math.floor(random() * 160);
  return { luma: sample(), blue: sample(), red: sample() };
}

type FullSlice = Grid & { readonly at: number; readonly palette: readonly Colour[] };

function fullSlice({ at, columns, rows, palette }: FullSlice): Buffer {
  const writer = new BitWriter("high", columns * (400 + rows * 2));
  // First block; all blocks stand for themselves; parameters; frame number 0; which full frame; nothing is kept.
  writer
    .golomb(0)
    .golomb(7)
    .golomb(0)
    .bits(0, 4)
    .golomb(at % 2)
    .bits(0, 2);
  // The usual quality, no deblocking.
  writer.golomb(0).golomb(1);
  for (let column = 0; column < columns; column += 1) {
    const stripe = Math.floor((column * palette.length) / columns);
    writePlainBlock(writer, palette[(stripe + at) % palette.length]);
  }
  for (let row = 1; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      // Predicted from above, luma and chroma, nothing added. How "no coefficients" is written depends on how many the
      // neighbours have, and plain blocks count as full of them.
      writer.golomb(1).golomb(2).golomb(0);
      if (row === 1) writer.bits(0b000011, 6);
      else writer.bits(1, 1);
    }
  }
  return writer.bits(1, 1).done();
}

function writePlainBlock(writer: BitWriter, colour: Colour | undefined): void {
  const { luma, blue, red } = colour ?? { luma: 128, blue: 128, red: 128 };
  writer.golomb(25).align();
  writer.bytes(Buffer.alloc(256, luma)).bytes(Buffer.alloc(64, blue)).bytes(Buffer.alloc(64, red));
}

function repeatedSlice(n: number, blocks: number): Buffer {
  const writer = new BitWriter("high")
    .golomb(0)
    .golomb(5)
    .golomb(0)
    .bits(n % 16, 4);
  // The references as they are; all blocks are skipped.
  writer.bits(0, 3).golomb(0).golomb(1).golomb(blocks);
  return writer.bits(1, 1).done();
}

/** With a 3 wherever the content would look like the start of a unit. */
function nal(kind: number, content: Buffer): Buffer {
  const bytes = [kind];
  let zeros = 0;
  let isPlain = true;
  for (const byte of content) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
      isPlain = false;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return isPlain ? Buffer.concat([Buffer.from([kind]), content]) : Buffer.from(bytes);
}

function withLength(unit: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(unit.length);
  return Buffer.concat([length, unit]);
}
