import { crc32 } from "node:zlib";

export type ZipEntry = { readonly name: string; readonly content: string };

/** 1 January 2026, so that the same files are the same bytes. */
const dosDate = ((2026 - 1980) << 9) | (1 << 5) | 1;

/** An archive whose files are stored as they are. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const bytes = Buffer.from(content);
    const path = Buffer.from(name);
    const facts = factsOf(bytes, path);
    const local = Buffer.concat([signature(0x04034b50), version, facts, path, bytes]);
    // Comment, disk, attributes, and where the file begins.
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([signature(0x02014b50), version, version, facts, place, path]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

const version = Buffer.from([20, 0]);

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What both headers of a file have in common: flags, method, time, checksum, sizes, lengths. */
function factsOf(bytes: Buffer, path: Buffer): Buffer {
  const facts = Buffer.alloc(24);
  facts.writeUInt16LE(dosDate, 6);
  facts.writeUInt32LE(crc32(bytes), 8);
  facts.writeUInt32LE(bytes.length, 12);
  facts.writeUInt32LE(bytes.length, 16);
  facts.writeUInt16LE(path.length, 20);
  return facts;
}
