import { stripedFrames, stripes } from "./h264.ts";
import type { StripedFrames } from "./h264.ts";

export type Video = {
  readonly seed: string;
  readonly ms: number;
  readonly width: number;
  readonly height: number;
};

const framesPerSecond = 24;
/** Longer videos are made this long: nothing a caller writes may cost the process much. */
export const longestVideoMs = 120_000;
const largestSide = 4_096;

/** A video without sound that players play: coloured stripes that move once a second. */
export function mp4Of(asked: Video): Buffer {
  const size = { width: evenSide(asked.width), height: evenSide(asked.height) };
  const count = Math.max(1, Math.round((Math.min(asked.ms, longestVideoMs) * framesPerSecond) / 1_000));
  const frames = stripedFrames(asked.seed, size.width, size.height);
  const samples = samplesOf(frames, count);
  const kind = box("ftyp", Buffer.from("isom"), u32(512), Buffer.from("isomiso2avc1mp41"));
  const movie = { ...size, frames, samples };
  // The index has the same length wherever the samples begin.
  const start = kind.length + indexOf(movie, 0).length + 8;
  return Buffer.concat([kind, indexOf(movie, start), box("mdat", ...samples)]);
}

function evenSide(asked: number): number {
  const side = Number.isFinite(asked) ? Math.min(largestSide, Math.max(16, Math.floor(asked))) : 16;
  return side - (side % 2);
}

function samplesOf(frames: StripedFrames, count: number): readonly Buffer[] {
  const fulls: Buffer[] = [];
  return Array.from({ length: count }, (_, at) => {
    const since = at % framesPerSecond;
    if (since !== 0) return frames.repeatedFrame(since);
    // The stripes come round, and a frame that was there before is taken again.
    const turn = (at / framesPerSecond) % stripes;
    return (fulls[turn] ??= frames.fullFrame(turn));
  });
}

type Movie = {
  readonly width: number;
  readonly height: number;
  readonly frames: StripedFrames;
  readonly samples: readonly Buffer[];
};

function indexOf(movie: Movie, start: number): Buffer {
  const { width, height, samples } = movie;
  const durationMs = Math.round((samples.length * 1_000) / framesPerSecond);
  const rest = [u32(0), u32(0), u16(0), u16(0), u16(0), u16(0), matrix()];
  return box(
    "moov",
    full(
      "mvhd",
      0,
      [u32(0, 0, 1_000, durationMs, 0x10000), u16(0x100), Buffer.alloc(10), matrix()].concat(
        Buffer.alloc(24),
        u32(2),
      ),
    ),
    box(
      "trak",
      full("tkhd", 3, [u32(0, 0, 1, 0, durationMs), ...rest, u32(width * 0x10000, height * 0x10000)]),
      box(
        "mdia",
        full("mdhd", 0, [u32(0, 0, framesPerSecond, samples.length), u16(0x55c4), u16(0)]),
        full("hdlr", 0, [u32(0), Buffer.from("vide"), Buffer.alloc(12), Buffer.from("Video\0")]),
        box(
          "minf",
          full("vmhd", 1, [Buffer.alloc(8)]),
          box("dinf", full("dref", 0, [u32(1), full("url ", 1, [])])),
          tableOf(movie, start),
        ),
      ),
    ),
  );
}

/** All samples lie in one chunk. */
function tableOf({ width, height, frames, samples }: Movie, start: number): Buffer {
  const fulls = samples.flatMap((_, at) => (at % framesPerSecond === 0 ? [at + 1] : []));
  return box(
    "stbl",
    full("stsd", 0, [u32(1), sampleEntry({ width, height, frames })]),
    full("stts", 0, [u32(1, samples.length, 1)]),
    full("stss", 0, [u32(fulls.length, ...fulls)]),
    full("stsc", 0, [u32(1, 1, samples.length, 1)]),
    full("stsz", 0, [u32(0, samples.length, ...samples.map((sample) => sample.length))]),
    full("stco", 0, [u32(1, start)]),
  );
}

function sampleEntry({ width, height, frames }: Omit<Movie, "samples">): Buffer {
  const { sequence, picture } = frames;
  const configuration = box(
    "avcC",
    Buffer.from([1, ...sequence.subarray(1, 4), 0xff, 0xe1]),
    u16(sequence.length),
    sequence,
    Buffer.from([1]),
    u16(picture.length),
    picture,
  );
  return box(
    "avc1",
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(16),
    u16(width),
    u16(height),
    // 72 dots per inch, one frame per sample, no name, 24 bits deep.
    u32(0x480000, 0x480000, 0),
    u16(1),
    Buffer.alloc(32),
    u16(24),
    u16(0xffff),
    configuration,
  );
}

function box(kind: string, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 8);
  return Buffer.concat([u32(length), Buffer.from(kind, "latin1"), ...contents]);
}

/** A box with a version of 0 and flags. */
function full(kind: string, flags: number, contents: readonly Uint8Array[]): Buffer {
  return box(kind, u32(flags), ...contents);
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** Neither turned nor stretched. */
function matrix(): Buffer {
  return u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
}
