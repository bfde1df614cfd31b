/** By the four bits of a frame's head, in kilohertz. */
const sampleRates = [96, 88.2, 64, 48, 44.1, 32, 24, 22.05, 16, 12, 11.025, 8, 7.35];
const samplesPerBlock = 1_024;
const shortestHead = 7;

/** How long AAC in ADTS frames plays, to the millisecond: all frames up to what is none added up; undefined where there is none. */
export function aacSeconds(bytes: Buffer): number | undefined {
  let ms = 0;
  let at = 0;
  while (at < bytes.length) {
    const frame = readFrame(bytes, at);
    if (frame === undefined) break;
    ms += frame.ms;
    at += frame.sizeBytes;
  }
  return ms > 0 ? Math.round(ms) / 1_000 : undefined;
}

function readFrame(
  bytes: Buffer,
  at: number,
): { readonly ms: number; readonly sizeBytes: number } | undefined {
  if (at + shortestHead > bytes.length || (bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return undefined;
  const sampleRate = sampleRates[(bytes.readUInt8(at + 2) >> 2) & 15];
  const sizeBytes = (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
  if (sampleRate === undefined || sizeBytes < shortestHead) return undefined;
  const blocks = (bytes.readUInt8(at + 6) & 3) + 1;
  return { ms: (blocks * samplesPerBlock) / sampleRate, sizeBytes };
}
