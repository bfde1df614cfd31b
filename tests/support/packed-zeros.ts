import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import zlib from "node:zlib";

const compressors = {
  gzip: () => zlib.createGzip(),
  deflate: () => zlib.createDeflate(),
  br: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: () => zlib.createZstdCompress(),
} as const;

const pieceBytes = 1_000_000;

/** So many zeros in a few bytes. */
export function packedZeros(coding: keyof typeof compressors, sizeBytes: number): Promise<Buffer> {
  const piece = Buffer.alloc(pieceBytes);
  const pieces = function* (): Generator<Buffer> {
    for (let left = sizeBytes; left > 0; left -= pieceBytes)
      yield piece.subarray(0, Math.min(left, pieceBytes));
  };
  return buffer(Readable.from(pieces()).pipe(compressors[coding]()));
}
