import type { ByteRange } from "../files/file-store.ts";

/**
 * What a `Range` header asks for (RFC 9110, 14.2). Undefined, which is the whole, for none, for one that is not valid and
 * for several at once; `unsatisfiable` when nothing of it is there.
 */
export function byteRangeOf(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "") ?? [];
  if (first !== "") return rangeFrom(Number(first), last === "" ? Infinity : Number(last), sizeBytes);
  if (last === "") return undefined;
  const wanted = Math.min(Number(last), sizeBytes);
  return wanted === 0 ? "unsatisfiable" : { start: sizeBytes - wanted, end: sizeBytes - 1 };
}

function rangeFrom(start: number, end: number, sizeBytes: number): ByteRange | "unsatisfiable" | undefined {
  if (end < start) return undefined;
  return start >= sizeBytes ? "unsatisfiable" : { start, end: Math.min(end, sizeBytes - 1) };
}
