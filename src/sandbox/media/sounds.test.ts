import assert from "node:assert/strict";
import { test } from "node:test";
import { fingerprintOf } from "../answers/random.ts";
import { soundLengthMs } from "../speech/spoken.ts";
import { bytesOf } from "./media-file.ts";
import type { SoundFile } from "./media-file.ts";

const seed = fingerprintOf("sound");
const make = (file: Omit<SoundFile, "seed">): Promise<Buffer> => bytesOf({ ...file, seed });

test("a WAV file tells its form, and its samples are a tone", async () => {
  const bytes = await make({ kind: "wav", ms: 1_500, rate: 24_000 });
  assert.equal(bytes.toString("latin1", 0, 4), "RIFF");
  assert.equal(bytes.readUInt32LE(4), bytes.length - 8);
  assert.deepEqual(
    [bytes.readUInt16LE(20), bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt16LE(34)],
    [1, 1, 24_000, 16],
  );
  assert.equal(bytes.readUInt32LE(40), 1.5 * 24_000 * 2);
  const samples = Array.from({ length: 24_000 }, (_, at) => bytes.readInt16LE(44 + at * 2));
  assert.ok(Math.max(...samples) > 5_900 && Math.min(...samples) < -5_900);
  const turns = samples.filter((sample, at) => sample >= 0 && (samples[at - 1] ?? 0) < 0).length;
  assert.ok(turns >= 170 && turns <= 530, `${turns} waves in a second`);
});

/** Bytes of a layer III frame by its own header. */
function frameBytes(bytes: Buffer, at: number): number {
  const head = bytes.readUInt32BE(at);
  assert.equal(head >>> 21, 0x7ff, `no frame at ${at}`);
  assert.equal((head >>> 17) & 3, 1);
  const isFull = ((head >>> 19) & 3) === 3;
  const bitrates = isFull ? [0, 32, 40, 48, 56, 64, 80, 96, 112, 128] : [0, 8, 16, 24, 32, 40, 48, 56];
  const kbps = bitrates[(head >>> 12) & 15] ?? 0;
  const rate = [44_100, 48_000, 32_000].map((one) => (isFull ? one : one / 2))[(head >>> 10) & 3] ?? 0;
  return Math.floor(((isFull ? 144 : 72) * kbps * 1_000) / rate) + ((head >>> 9) & 1);
}

test("an MP3 is nothing but whole frames, as many as the length needs", async () => {
  for (const [rate, kbps, samples] of [
    [44_100, 128, 1_152],
    [22_050, 32, 576],
  ] as const) {
    const bytes = await make({ kind: "mp3", ms: 10_000, rate, kbps });
    let frames = 0;
    for (let at = 0; at < bytes.length; at += frameBytes(bytes, at)) frames += 1;
    assert.ok(Math.abs((frames * samples) / rate - 10) < 0.03);
    assert.ok(Math.abs((bytes.length * 8) / kbps - 10_000) < 30);
  }
});

/** Ogg's checksum, bit by bit. */
function oggChecksum(page: Buffer): number {
  let crc = 0;
  for (const [at, byte] of page.entries()) {
    crc ^= (at >= 22 && at < 26 ? 0 : byte) << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

test("an Opus file is pages with right checksums, the last one telling the length", async () => {
  const bytes = await make({ kind: "opus", ms: 2_500 });
  let granule = 0n;
  let at = 0;
  for (let number = 0; at < bytes.length; number += 1) {
    assert.equal(bytes.toString("latin1", at, at + 4), "OggS");
    const segments = bytes[at + 26] ?? 0;
    const content = bytes.subarray(at + 27, at + 27 + segments).reduce((sum, length) => sum + length, 0);
    const page = bytes.subarray(at, at + 27 + segments + content);
    assert.equal(page.readUInt32LE(18), number);
    assert.equal(page.readUInt32LE(22), oggChecksum(page));
    granule = page.readBigUInt64LE(6);
    at += page.length;
  }
  assert.equal(Number(granule) - 312, 2.5 * 48_000);
});

test("FLAC and AAC are frames of their forms", async () => {
  const flac = await make({ kind: "flac", ms: 1_000 });
  assert.equal(flac.toString("latin1", 0, 4), "fLaC");
  assert.equal(flac.readUInt16BE(42), 0xfff8);
  assert.equal(flac.readUInt32BE(22) % 4_096, 0);
  const aac = await make({ kind: "aac", ms: 1_000 });
  let frames = 0;
  for (let at = 0; at < aac.length; frames += 1) {
    assert.equal(aac.readUInt16BE(at), 0xfff1);
    at += (aac.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
  }
  assert.equal(frames, 43);
});

test("lengths are read back as they were written, from every form that tells one", async () => {
  for (const kind of ["wav", "mp3", "flac", "opus"] as const) {
    const bytes = await make({ kind, ms: 7_000 });
    assert.ok(Math.abs(soundLengthMs(bytes) - 7_000) < 100, `${kind}: ${soundLengthMs(bytes)}`);
  }
  assert.equal(soundLengthMs(Buffer.alloc(16_000)), 1_000);
});
