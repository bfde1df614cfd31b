/** The position after an ID3v2 tag that starts at `at`; `at` itself where there is none. */
export function endOfId3(bytes: Buffer, at = 0): number {
  if (bytes.length < at + 10 || bytes.toString("latin1", at, at + 3) !== "ID3") return at;
  const flags = bytes[at + 5] ?? 0;
  let size = 0;
  for (const byte of bytes.subarray(at + 6, at + 10)) size = size * 128 + (byte & 0x7f);
  const footer = (flags & 0x10) === 0 ? 0 : 10;
  return Math.min(at + 10 + size + footer, bytes.length);
}
