import zlib from "node:zlib";
import type { Transform } from "node:stream";

export type Encoding = "gzip" | "br" | "zstd" | "deflate";

/**
 * Which decoding an answer needs although identity was asked for: undefined for none, `unknown` for a name
 * we cannot undo and for stacked encodings, which no honest provider sends.
 */
export function encodingOf(header: string | readonly string[] | undefined): Encoding | "unknown" | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== "string") return "unknown";
  switch (header.trim().toLowerCase()) {
    case "":
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "br":
      return "br";
    case "zstd":
      return "zstd";
    case "deflate":
      return "deflate";
    default:
      return "unknown";
  }
}

/**
 * A decoder that gives out each flushed piece at once and fails on input that ends too early.
 * `first` is the start of the body: `deflate` is sent both with and without zlib's header (RFC 9110 §8.4.1.2).
 */
export function createDecoder(encoding: Encoding, first: Buffer): Transform {
  const flush = zlib.constants.Z_SYNC_FLUSH;
  switch (encoding) {
    case "gzip":
      return zlib.createGunzip({ flush });
    case "br":
      return zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
    case "zstd":
      return zlib.createZstdDecompress({ flush: zlib.constants.ZSTD_e_flush });
    case "deflate":
      return hasZlibHeader(first) ? zlib.createInflate({ flush }) : zlib.createInflateRaw({ flush });
  }
}

/** RFC 1950: the low four bits of the first byte are 8 for deflate; with one byte more the check bits are tested too. */
function hasZlibHeader(first: Buffer): boolean {
  const [method = 0, flags] = first;
  if ((method & 0x0f) !== 8 || method >> 4 > 7) return false;
  return flags === undefined || (method * 256 + flags) % 31 === 0;
}
