/** More than a frame's header adds to samples that do not compress at all. */
const worstGrowth = 1.2;
/** The last frame begins within this many bytes of the end, unless it is larger than any encoder makes it. */
const lastFrameBytes = 1 << 20;

type StreamInfo = {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitsPerSample: number;
  readonly totalSamples: number;
  readonly minBlock: number;
};

/**
 * The length that the stream declares, unless it declares none or one that is too short for the bytes that follow: then
 * it is read from the last frame.
 */
export function flacSeconds(bytes: Buffer): number | undefined {
  if (bytes.toString("latin1", 0, 4) !== "fLaC" || bytes.length < 42) return undefined;
  const info = readStreamInfo(bytes);
  if (info.sampleRate === 0) return undefined;
  const start = endOfMetadata(bytes);
  const soundBits = (bytes.length - start) * 8;
  const leastSamples = soundBits / (info.channels * info.bitsPerSample) / worstGrowth;
  const isBelievable = info.totalSamples > 0 && info.totalSamples >= Math.floor(leastSamples) - info.minBlock;
  const samples = isBelievable ? info.totalSamples : samplesByLastFrame(bytes, start, info);
  return samples === undefined ? undefined : samples / info.sampleRate;
}

/** The block that every stream begins with, after its four letters and a header of four bytes. */
function readStreamInfo(bytes: Buffer): StreamInfo {
  const packed = bytes.readBigUInt64BE(18);
  return {
    minBlock: bytes.readUInt16BE(8),
    sampleRate: Number(packed >> 44n),
    channels: Number((packed >> 41n) & 7n) + 1,
    bitsPerSample: Number((packed >> 36n) & 31n) + 1,
    totalSamples: Number(packed & 0xf_ffff_ffffn),
  };
}

function endOfMetadata(bytes: Buffer): number {
  let at = 4;
  while (at + 4 <= bytes.length) {
    const header = bytes.readUInt32BE(at);
    at += 4 + (header & 0xff_ffff);
    if (header >>> 31 === 1) break;
  }
  return Math.min(at, bytes.length);
}

/** The end of the last frame. Its header is known by its check sum: chance makes one in 2²³ places. */
function samplesByLastFrame(bytes: Buffer, start: number, info: StreamInfo): number | undefined {
  const from = Math.max(start, bytes.length - lastFrameBytes);
  for (let at = bytes.lastIndexOf(0xff); at >= from; at = at === 0 ? -1 : bytes.lastIndexOf(0xff, at - 1)) {
    const end = endOfFrameAt(bytes, at, info);
    if (end !== undefined) return end;
  }
  return undefined;
}

function endOfFrameAt(bytes: Buffer, at: number, info: StreamInfo): number | undefined {
  const [, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  const blockCode = third >> 4;
  if ((second & 0xfe) !== 0xf8 || blockCode === 0 || (third & 15) === 15 || (fourth & 1) === 1)
    return undefined;
  const number = readCodedNumber(bytes, at + 4);
  if (number === undefined) return undefined;
  const block = blockSize(bytes, number.end, blockCode);
  const headerEnd = block.end + rateBytes(third & 15);
  if (headerEnd >= bytes.length || crc8(bytes.subarray(at, headerEnd)) !== bytes[headerEnd]) return undefined;
  // Streams of fixed blocks count frames, the others samples.
  const isVariable = (second & 1) === 1;
  return (isVariable ? number.value : number.value * info.minBlock) + block.samples;
}

function blockSize(
  bytes: Buffer,
  at: number,
  code: number,
): { readonly samples: number; readonly end: number } {
  if (code === 1) return { samples: 192, end: at };
  if (code <= 5) return { samples: 576 << (code - 2), end: at };
  if (code === 6) return { samples: (bytes[at] ?? 0) + 1, end: at + 1 };
  if (code === 7) return { samples: ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0) + 1, end: at + 2 };
  return { samples: 256 << (code - 8), end: at };
}

function rateBytes(code: number): number {
  if (code === 12) return 1;
  return code === 13 || code === 14 ? 2 : 0;
}

/** Like a character of UTF-8, but of up to seven bytes. */
function readCodedNumber(
  bytes: Buffer,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  const first = bytes[at] ?? 0xff;
  if (first < 0x80) return { value: first, end: at + 1 };
  const length = Math.clz32(~(first << 24));
  if (length < 2 || length > 7) return undefined;
  let value = first & (0x7f >> length);
  for (let next = at + 1; next < at + length; next++) {
    const byte = bytes[next] ?? 0;
    if (byte >> 6 !== 2) return undefined;
    value = value * 64 + (byte & 0x3f);
  }
  return { value, end: at + length };
}

/** Polynomial x⁸ + x² + x + 1, as the format has it. */
function crc8(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++)
      sum = (sum & 0x80) === 0 ? (sum << 1) & 0xff : ((sum << 1) ^ 0x07) & 0xff;
  }
  return sum;
}
