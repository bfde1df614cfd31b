import { endOfId3 } from "./id3-tag.ts";

/** Kilobits per second by the four bits of the header, for MPEG 1 layers I, II, III and MPEG 2 layers I, II and III. */
const rates = {
  one: {
    1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  },
  two: {
    1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    3: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  },
} as const;

/** By the two bits of the header. */
const layers = [undefined, 3, 2, 1] as const;
/** MPEG 1 has these rates in hertz, MPEG 2 half of them and MPEG 2.5 a quarter. */
const sampleRates = [44_100, 48_000, 32_000];
const rateDivisors = [4, undefined, 2, 1];

type Header = {
  readonly layer: 1 | 2 | 3;
  /** 1 for MPEG 1. */
  readonly divisor: number;
  readonly bits: number;
};

type Frame = {
  readonly sampleRate: number;
  readonly samples: number;
  readonly sizeBytes: number;
  /** What all frames of one stream share. */
  readonly kind: number;
  /** From the frame's start to the place of an encoder's note. */
  readonly noteAt: number;
};

/** Adds up the frames: right for constant and variable bit rates, and no header is taken at its word. */
export function mp3Seconds(bytes: Buffer): number | undefined {
  let at = endOfId3(bytes);
  let seconds = 0;
  let kind: number | undefined;
  let isInStep = false;
  while (at + 4 <= bytes.length) {
    const frame = readFrame(bytes, at);
    const fits = frame !== undefined && (kind === undefined || frame.kind === kind);
    if (!fits || (!isInStep && !isFollowedByFrame(bytes, at, frame))) {
      isInStep = false;
      at = nextSync(bytes, at + 1);
      continue;
    }
    seconds += kind === undefined ? firstSeconds(bytes, at, frame) : frame.samples / frame.sampleRate;
    kind = frame.kind;
    isInStep = true;
    at += frame.sizeBytes;
  }
  return kind === undefined ? undefined : Math.max(seconds, 0);
}

function nextSync(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(0xff, from);
  return at === -1 ? bytes.length : at;
}

/** Chance makes one header out of any four bytes in a few thousand; two in the right distance are a stream. */
function isFollowedByFrame(bytes: Buffer, at: number, frame: Frame): boolean {
  return readFrame(bytes, at + frame.sizeBytes)?.kind === frame.kind;
}

/** The first frame may hold no sound but an encoder's note, which also tells how much silence the encoder added. */
function firstSeconds(bytes: Buffer, at: number, frame: Frame): number {
  const note = at + frame.noteAt;
  const name = bytes.toString("latin1", note, note + 4);
  if (bytes.toString("latin1", at + 36, at + 40) === "VBRI") return 0;
  if (name !== "Xing" && name !== "Info") return frame.samples / frame.sampleRate;
  return -addedSamples(bytes, note, Math.min(at + frame.sizeBytes, bytes.length)) / frame.sampleRate;
}

function addedSamples(bytes: Buffer, note: number, end: number): number {
  const flags = bytes[note + 7] ?? 0;
  const sizes = [4, 4, 100, 4].filter((_, bit) => (flags & (1 << bit)) !== 0);
  const lame = note + 8 + sizes.reduce((sum, size) => sum + size, 0);
  if (lame + 24 > end || !/^(?:LAME|Lavc|Lavf|GOGO)/.test(bytes.toString("latin1", lame, lame + 4))) return 0;
  const delays = bytes.readUIntBE(lame + 21, 3);
  return (delays >> 12) + (delays & 0xfff);
}

function readFrame(bytes: Buffer, at: number): Frame | undefined {
  const second = bytes[at + 1] ?? 0;
  if (bytes[at] !== 0xff || second < 0xe0 || at + 4 > bytes.length) return undefined;
  const layer = layers[(second >> 1) & 3];
  const divisor = rateDivisors[(second >> 3) & 3];
  if (layer === undefined || divisor === undefined) return undefined;
  return frameOf({ layer, divisor, bits: bytes.readUInt32BE(at) });
}

function frameOf({ layer, divisor, bits }: Header): Frame | undefined {
  const baseRate = sampleRates[(bits >> 10) & 3];
  const isFirst = divisor === 1;
  const bitsPerSecond = (rates[isFirst ? "one" : "two"][layer][(bits >> 12) & 15] ?? 0) * 1000;
  if (baseRate === undefined || bitsPerSecond === 0) return undefined;
  const sampleRate = baseRate / divisor;
  const samples = samplesOf(layer, isFirst);
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = Math.floor(((samples / 8) * bitsPerSecond) / sampleRate / slotBytes) + ((bits >> 9) & 1);
  return {
    sampleRate,
    samples,
    sizeBytes: slots * slotBytes,
    kind: bits & 0x1e_0c00,
    noteAt: noteOffset(isFirst, ((bits >> 6) & 3) === 3),
  };
}

function samplesOf(layer: 1 | 2 | 3, isFirst: boolean): number {
  if (layer === 1) return 384;
  return layer === 2 || isFirst ? 1152 : 576;
}

/** After the header and the side information, whose length depends on the channels. */
function noteOffset(isFirst: boolean, isMono: boolean): number {
  if (isFirst) return isMono ? 21 : 36;
  return isMono ? 13 : 21;
}
