import { pipeline } from "node:stream";
import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { EgressFailure } from "./egress-failure.ts";

export type Encoding = "gzip" | "br" | "zstd" | "deflate";

const encodings: ReadonlyMap<string, Encoding | undefined> = new Map([
  ["", undefined],
  ["identity", undefined],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["br", "br"],
  ["zstd", "zstd"],
  ["deflate", "deflate"],
]);

/** What to undo; throws for names we do not know and for stacked ones, which multiply what a bomb can do. */
export function encodingOf(contentEncoding: string | undefined): Encoding | undefined {
  const name = (contentEncoding ?? "").trim().toLowerCase();
  if (!encodings.has(name)) throw new EgressFailure("unreadable", "unknown content-encoding");
  return encodings.get(name);
}

/** The decoded body, piece by piece and not faster than it is taken. An empty body is an empty body. */
export async function* decoded(source: AsyncIterable<Buffer>, encoding: Encoding): AsyncGenerator<Buffer> {
  const pieces = source[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (first.done === true) return;
  const decoder = createDecoder(encoding, first.value);
  // What fails, the source or the decoder, is thrown where the decoder is read.
  pipeline(joined(first.value, pieces), decoder, () => undefined);
  try {
    yield* decoder;
  } catch (error) {
    throw error instanceof EgressFailure ? error : new EgressFailure("unreadable", `no ${encoding}`);
  }
}

async function* joined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Windows are as large as content codings may have them: 8 MB for zstd (RFC 9659), 16 MB for brotli. */
function createDecoder(encoding: Encoding, first: Buffer): Transform {
  switch (encoding) {
    case "gzip":
      return zlib.createGunzip();
    case "br":
      return zlib.createBrotliDecompress();
    case "zstd":
      return zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } });
    case "deflate":
      return hasZlibHeader(first) ? zlib.createInflate() : zlib.createInflateRaw();
  }
}

/** `deflate` is sent both with and without zlib's header (RFC 9110 §8.4.1.2), whose two bytes are told by RFC 1950. */
function hasZlibHeader([method = 0, flags]: Buffer): boolean {
  if ((method & 0x0f) !== 8 || method >> 4 > 7) return false;
  return flags === undefined || (method * 256 + flags) % 31 === 0;
}
