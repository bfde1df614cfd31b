import { createHash } from "node:crypto";
import { BitWriter } from "./bit-writer.ts";

const rate = 44_100;
const samplesPerFrame = 4_096;

/** Silence: one channel of 16 bits at 44.1 kHz, each frame one constant. The frames are all as long as the longest. */
export function flacOf(ms: number): Buffer {
  const frames = Math.max(1, Math.ceil((ms * rate) / 1_000 / samplesPerFrame));
  const samples = frames * samplesPerFrame;
  const about = new BitWriter("high", 64)
    .bits(samplesPerFrame, 16)
    .bits(samplesPerFrame, 16)
    .bits(0, 24)
    .bits(0, 24)
    .bits(rate, 20)
    // Channels less one, bits less one, and 36 bits for the number of samples.
    .bits(0, 3)
    .bits(15, 5)
    .bits(0, 4)
    .bits(samples, 32)
    .bytes(md5OfSilence(samples))
    .done();
  const head = Buffer.from([...Buffer.from("fLaC"), 0x80, 0, 0, about.length]);
  return Buffer.concat([head, about, ...Array.from({ length: frames }, (_, at) => frameAt(at))]);
}

function frameAt(at: number): Buffer {
  const number = numberBytes(at);
  // Sync; 4,096 samples at 44.1 kHz; one channel, 16 bits.
  const head = Buffer.from([0xff, 0xf8, 0xc9, 0x08, ...number]);
  // A constant subframe: its kind, then the sample.
  const body = Buffer.from([...head, crcOf(head, { bits: 8, polynomial: 0x07 }), 0, 0, 0]);
  const crc = crcOf(body, { bits: 16, polynomial: 0x8005 });
  return Buffer.concat([body, Buffer.from([crc >> 8, crc & 0xff])]);
}

/** The number of a frame in the manner of UTF-8, up to 65,535. */
function numberBytes(value: number): readonly number[] {
  if (value < 0x80) return [value];
  if (value < 0x800) return [0xc0 | (value >> 6), 0x80 | (value & 0x3f)];
  return [0xe0 | (value >> 12), 0x80 | ((value >> 6) & 0x3f), 0x80 | (value & 0x3f)];
}

function crcOf(bytes: Uint8Array, form: { readonly bits: number; readonly polynomial: number }): number {
  const top = 2 ** (form.bits - 1);
  const mask = 2 ** form.bits - 1;
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << (form.bits - 8);
    for (let bit = 0; bit < 8; bit += 1) {
      crc = ((crc << 1) ^ ((crc & top) === 0 ? 0 : form.polynomial)) & mask;
    }
  }
  return crc;
}

function md5OfSilence(samples: number): Buffer {
  const hash = createHash("md5");
  const silence = Buffer.alloc(samplesPerFrame * 2);
  for (let left = samples; left > 0; left -= samplesPerFrame) hash.update(silence);
  return hash.digest();
}
