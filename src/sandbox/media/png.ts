import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import { cellPixels, paletteColours } from "./picture.ts";
import type { Picture } from "./picture.ts";

const deflated = promisify(deflate);
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const bitsPerPixel = 4;
const indexedColour = 3;
/** The filter that stores a row as its difference from the row above; zeros here, where rows repeat. */
const filterUp = 2;

export async function pngOf(picture: Picture): Promise<Buffer> {
  const { width, height, palette } = picture;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitsPerPixel, indexedColour], 8);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("PLTE", palette.subarray(0, paletteColours * 3)),
    chunk("IDAT", await deflated(scanlines(picture), { level: 4 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

function scanlines({ width, height, columns, cells }: Picture): Buffer {
  const rowBytes = Math.ceil((width * bitsPerPixel) / 8);
  const lines = Buffer.alloc((rowBytes + 1) * height);
  for (let y = 0; y < height; y += 1) {
    const start = y * (rowBytes + 1);
    if (y % cellPixels !== 0) {
      lines[start] = filterUp;
      continue;
    }
    const above = (y / cellPixels) * columns;
    for (let at = 0; at < rowBytes; at += 1) {
      lines[start + 1 + at] = 0x11 * (cells[above + Math.floor((at * 2) / cellPixels)] ?? 0);
    }
  }
  return lines;
}

function chunk(type: string, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(content.length + 12);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(content, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, content.length + 8)), content.length + 8);
  return bytes;
}
