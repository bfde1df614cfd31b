import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fingerprintOf } from "../answers/random.ts";
import { bytesOf, extensionOf } from "./media-file.ts";
import type { MediaFile } from "./media-file.ts";

const seed = fingerprintOf("video");

/** The content of a box, by the way to it. */
function boxAt(bytes: Buffer, path: readonly string[]): Buffer {
  let inside = bytes;
  for (const kind of path) {
    let at = 0;
    while (at < inside.length && inside.toString("latin1", at + 4, at + 8) !== kind)
      at += inside.readUInt32BE(at);
    assert.ok(at < inside.length, `there is no ${kind}`);
    inside = inside.subarray(at + 8, at + inside.readUInt32BE(at));
  }
  return inside;
}

test("an MP4 has the length and size asked for, and an index of its frames that is right", async () => {
  const bytes = await bytesOf({ kind: "mp4", seed, ms: 3_000, width: 1_920, height: 1_080 });
  const table = ["moov", "trak", "mdia", "minf", "stbl"];
  const head = boxAt(bytes, ["moov", "mvhd"]);
  assert.deepEqual([head.readUInt32BE(12), head.readUInt32BE(16)], [1_000, 3_000]);
  const track = boxAt(bytes, ["moov", "trak", "tkhd"]);
  assert.deepEqual([track.readUInt16BE(76), track.readUInt16BE(80)], [1_920, 1_080]);
  const sizes = boxAt(bytes, [...table, "stsz"]);
  const count = sizes.readUInt32BE(8);
  assert.equal(count, 72);
  const fulls = boxAt(bytes, [...table, "stss"]);
  let at = boxAt(bytes, [...table, "stco"]).readUInt32BE(8);
  assert.equal(bytes.toString("latin1", at - 4, at), "mdat");
  const kinds: number[] = [];
  for (let sample = 0; sample < count; sample += 1) {
    const size = sizes.readUInt32BE(12 + sample * 4);
    assert.equal(bytes.readUInt32BE(at), size - 4);
    kinds.push((bytes[at + 4] ?? 0) & 31);
    at += size;
  }
  assert.equal(at, bytes.length);
  const keys = Array.from({ length: fulls.readUInt32BE(4) }, (_, key) => fulls.readUInt32BE(8 + key * 4));
  assert.deepEqual(keys, [1, 25, 49]);
  assert.ok(kinds.every((kind, sample) => kind === (keys.includes(sample + 1) ? 5 : 1)));
});

test("what nobody can want costs no more than the largest", async () => {
  const bytes = await bytesOf({ kind: "mp4", seed, ms: 1e12, width: 1e9, height: 16 });
  assert.equal(boxAt(bytes, ["moov", "mvhd"]).readUInt32BE(16), 120_000);
  assert.equal(boxAt(bytes, ["moov", "trak", "tkhd"]).readUInt16BE(76), 4_096);
});

const hasDecoder = spawnSync("ffmpeg", ["-version"]).status === 0;

test(
  "ffmpeg decodes every form without a complaint",
  { skip: !hasDecoder && "ffmpeg is not here" },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandbox-media-"));
    const size = { width: 640, height: 362 };
    const files: readonly MediaFile[] = [
      ...(["png", "jpeg", "webp"] as const).map((kind) => ({ kind, seed, ...size })),
      ...(["mp3", "wav", "flac", "opus", "aac"] as const).map((kind) => ({ kind, seed, ms: 2_000 })),
      { kind: "mp3", seed, ms: 2_000, rate: 22_050, kbps: 32 },
      { kind: "mp4", seed, ms: 2_500, ...size },
    ];
    try {
      for (const file of files) {
        const path = join(folder, `a.${extensionOf(file)}`);
        writeFileSync(path, await bytesOf(file));
        const { stderr, status } = spawnSync("ffmpeg", [
          "-v",
          "error",
          "-xerror",
          "-i",
          path,
          "-f",
          "null",
          "-",
        ]);
        assert.deepEqual([status, stderr.toString()], [0, ""], file.kind);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
