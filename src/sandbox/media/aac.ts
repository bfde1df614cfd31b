import { BitWriter } from "./bit-writer.ts";

const rate = 44_100;
const samplesPerFrame = 1_024;

/** Silence as AAC-LC in ADTS frames, one channel at 44.1 kHz. */
export function aacOf(ms: number): Buffer {
  const frames = Math.max(1, Math.round((ms * rate) / 1_000 / samplesPerFrame));
  const block = silentBlock();
  const length = block.length + 7;
  const head = new BitWriter("high", 16)
    // Sync; MPEG-4, no checksum; low complexity, 44.1 kHz; one channel.
    .bits(0xfff, 12)
    .bits(0b0001, 4)
    .bits(1, 2)
    .bits(4, 4)
    .bits(0, 1)
    .bits(1, 3)
    .bits(0, 4)
    .bits(length, 13)
    .bits(0x7ff, 11)
    .bits(0, 2)
    .done();
  const frame = Buffer.concat([head, block]);
  return Buffer.alloc(frame.length * frames, frame);
}

/** A single channel in which no band has anything, and the end of the block. */
function silentBlock(): Buffer {
  return (
    new BitWriter("high", 16)
      // Kind and tag of the element; gain.
      .bits(0, 3)
      .bits(0, 4)
      .bits(100, 8)
      // One long window of the sine shape, no bands, no prediction.
      .bits(0, 4)
      .bits(0, 6)
      .bits(0, 1)
      // No pulses, no shaping in time, no gain control.
      .bits(0, 3)
      .bits(0b111, 3)
      .done()
  );
}
