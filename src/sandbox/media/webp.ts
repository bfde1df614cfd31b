import { BitWriter } from "./bit-writer.ts";
import { cellPixels, paletteColours } from "./picture.ts";
import type { Picture } from "./picture.ts";

/**
 * Lossless WebP (RFC 9649, VP8L) of a picture in sixteen colours: two pixels share a byte, the first row of a row of
 * cells is written out, and the other seven are copies of the row above.
 */
export function webpOf(picture: Picture): Buffer {
  const writer = new BitWriter("low", 65_536);
  writer
    .bits(0x2f, 8)
    .bits(picture.width - 1, 14)
    .bits(picture.height - 1, 14)
    .bits(0, 4);
  writer
    .bits(1, 1)
    .bits(colourIndexing, 2)
    .bits(paletteColours - 1, 8);
  writePalette(writer, picture.palette);
  writer.bits(0, 1);
  writePixels(writer, picture);
  const content = writer.done();
  const padding = content.length % 2;
  const head = Buffer.alloc(20);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(12 + content.length + padding, 4);
  head.write("WEBPVP8L", 8, "latin1");
  head.writeUInt32LE(content.length, 16);
  return Buffer.concat([head, content, Buffer.alloc(padding)]);
}

const colourIndexing = 3;
/** Lengths of codes are told in this order; eight entries reach the length 5, twelve the length 8. */
const order = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8];
const literals = 256;
/** Of the 24 codes for lengths of copies the upper sixteen, for 17 to 4,096 pixels. */
const firstLengthCode = 8;
const shortestCopy = 17;
const longestCopy = 4_096;
const codeBits = 5;

/** Each colour as its difference from the one before it, every channel in plain bytes. */
function writePalette(writer: BitWriter, palette: Uint8Array): void {
  writer.bits(0, 1);
  // Only the first 256 of green's symbols have a code: the other ones stand for copies.
  writePlainCode(writer, () =>
    writer
      .bits(1, 1)
      .bits(3, 3)
      .bits(literals - 2, 8),
  );
  for (let channel = 0; channel < 3; channel += 1) writePlainCode(writer, () => writer.bits(0, 1));
  writeSingleCode(writer);
  let before = [0, 0, 0, 0];
  for (let at = 0; at < paletteColours; at += 1) {
    const [red = 0, green = 0, blue = 0] = palette.subarray(at * 3, at * 3 + 3);
    const colour = [green, red, blue, 255];
    for (const [channel, value] of colour.entries()) {
      writer.bits(mirrored((value - (before[channel] ?? 0)) & 0xff, 8), 8);
    }
    before = colour;
  }
}

/** A code in which each byte stands for itself: all symbols have the length 8, and saying so takes no bits. */
function writePlainCode(writer: BitWriter, writeCount: () => void): void {
  writer.bits(0, 1).bits(order.length - 4, 4);
  for (const length of order) writer.bits(length === 8 ? 1 : 0, 3);
  writeCount();
}

/** A code with one symbol, 0, which then takes no bits. */
function writeSingleCode(writer: BitWriter): void {
  writer.bits(0b0001, 4);
}

function writePixels(writer: BitWriter, { width, height, columns, cells }: Picture): void {
  // No colour cache, one group of codes for the whole picture.
  writer.bits(0, 2);
  writePixelCode(writer);
  for (let channel = 0; channel < 4; channel += 1) writeSingleCode(writer);
  const rowLength = Math.ceil(width / 2);
  for (let y = 0; y < height; y += cellPixels) {
    const start = (y / cellPixels) * columns;
    const pixelAt = (at: number): number => cells[start + Math.floor((at * 2) / cellPixels)] ?? 0;
    for (let at = 0; at < rowLength; at += 1) writeLiteral(writer, pixelAt(at));
    let left = rowLength * (Math.min(height, y + cellPixels) - y - 1);
    for (; left >= shortestCopy; left -= Math.min(left, longestCopy)) {
      writeCopy(writer, Math.min(left, longestCopy));
    }
    for (; left > 0; left -= 1) writeLiteral(writer, pixelAt((rowLength - (left % rowLength)) % rowLength));
  }
}

/** Five bits each: sixteen bytes whose halves are equal, and sixteen lengths of copies. */
function writePixelCode(writer: BitWriter): void {
  writer.bits(0, 1).bits(8 - 4, 4);
  for (const length of order.slice(0, 8)) writer.bits(length === 0 || length === codeBits ? 1 : 0, 3);
  writer.bits(0, 1);
  for (let symbol = 0; symbol < literals + 24; symbol += 1) {
    const isUsed = symbol < literals ? symbol % 0x11 === 0 : symbol >= literals + firstLengthCode;
    writer.bits(isUsed ? 1 : 0, 1);
  }
}

function writeLiteral(writer: BitWriter, colour: number): void {
  writer.bits(mirrored(colour, codeBits), codeBits);
}

/** A copy of so many pixels from the row above: the only distance there is, so it takes no bits. */
function writeCopy(writer: BitWriter, length: number): void {
  const extraBits = Math.floor(Math.log2(length - 1)) - 1;
  const half = ((length - 1) >> extraBits) & 1;
  const code = 2 * extraBits + 2 + half;
  writer.bits(mirrored(paletteColours + code - firstLengthCode, codeBits), codeBits);
  writer.bits((length - 1) & (2 ** extraBits - 1), extraBits);
}

/** Codes are read from their highest bit on, all else from the lowest. */
function mirrored(value: number, count: number): number {
  let turned = 0;
  for (let at = 0; at < count; at += 1) turned |= ((value >> at) & 1) << (count - 1 - at);
  return turned;
}
