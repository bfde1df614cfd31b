import { BitWriter } from "./bit-writer.ts";
import { paletteColours } from "./picture.ts";
import type { Picture } from "./picture.ts";

/**
 * Baseline JPEG of a picture whose blocks have one colour each: a block is its mean and nothing else, so there is no
 * transform to compute, and the Huffman tables hold nine lengths of differences and the end of a block.
 */
export function jpegOf(picture: Picture): Buffer {
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, [...Buffer.from("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    // A step of 8 makes the quantised mean of a block the sample itself.
    segment(0xdb, [0, ...Array.from({ length: 64 }, () => 8)]),
    segment(0xc0, frameOf(picture)),
    segment(0xc4, [0x00, ...countsOf(4, 9), ...Array.from({ length: 9 }, (_, size) => size)]),
    segment(0xc4, [0x10, ...countsOf(1, 1), endOfBlock]),
    segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
    scanOf(picture),
    Buffer.from([0xff, 0xd9]),
  ]);
}

const endOfBlock = 0;

function segment(marker: number, content: readonly number[]): Buffer {
  const length = content.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 0xff, ...content]);
}

/** How many codes there are of each length from 1 to 16: here all of one length. */
function countsOf(length: number, codes: number): readonly number[] {
  return Array.from({ length: 16 }, (_, at) => (at === length - 1 ? codes : 0));
}

function frameOf({ width, height }: Picture): readonly number[] {
  const components = [1, 2, 3].flatMap((id) => [id, 0x11, 0]);
  return [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3, ...components];
}

function scanOf({ cells, palette }: Picture): Buffer {
  const samples = Array.from({ length: paletteColours }, (_, at) => samplesOf(palette, at));
  const writer = new BitWriter("high", cells.length * 4);
  let [luma, blue, red] = [0, 0, 0];
  for (const cell of cells) {
    const [nextLuma = 0, nextBlue = 0, nextRed = 0] = samples[cell] ?? [];
    writeMean(writer, nextLuma - luma);
    writeMean(writer, nextBlue - blue);
    writeMean(writer, nextRed - red);
    [luma, blue, red] = [nextLuma, nextBlue, nextRed];
  }
  return stuffed(writer.align(1).done());
}

/** A difference of means, then the code for the end of the block. */
function writeMean(writer: BitWriter, difference: number): void {
  const size = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
  const bits = difference < 0 ? difference + 2 ** size - 1 : difference;
  writer.bits(size, 4).bits(bits, size).bits(0, 1);
}

/** Luma and the two chroma samples, each less 128. */
function samplesOf(palette: Uint8Array, at: number): readonly number[] {
  const [red = 0, green = 0, blue = 0] = palette.subarray(at * 3, at * 3 + 3);
  return [
    0.299 * red + 0.587 * green + 0.114 * blue - 128,
    -0.168_7 * red - 0.331_3 * green + 0.5 * blue,
    0.5 * red - 0.418_7 * green - 0.081_3 * blue,
  ].map((sample) => Math.max(-128, Math.min(127, Math.round(sample))));
}

/** A byte of ones would be taken for a marker unless a zero follows it. */
function stuffed(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(0xff); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    parts.push(bytes.subarray(from, at + 1), Buffer.from([0]));
    from = at + 1;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}
