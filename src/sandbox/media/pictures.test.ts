import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import sharp from "sharp";
import { fingerprintOf } from "../answers/random.ts";
import { bytesOf } from "./media-file.ts";
import type { PictureFile } from "./media-file.ts";

/** The judge is sharp, whose readers share no code with these writers. */

const kinds = ["png", "jpeg", "webp"] as const;

async function read(file: PictureFile) {
  const { data, info } = await sharp(await bytesOf(file))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

test("every size is written in every form, and reads as what was painted", async () => {
  const side = fc.integer({ min: 1, max: 300 });
  await fc.assert(
    fc.asyncProperty(side, side, fc.string(), async (width, height, text) => {
      const seed = fingerprintOf(text);
      const [png, jpeg, webp] = await Promise.all(kinds.map((kind) => read({ kind, seed, width, height })));
      assert.ok(png && jpeg && webp);
      for (const picture of [png, jpeg, webp]) {
        assert.deepEqual([picture.width, picture.height], [width, height]);
      }
      assert.ok(webp.data.equals(png.data));
      // JPEG stores other colours than red, green and blue, to whole numbers.
      assert.ok(jpeg.data.every((value, at) => Math.abs(value - (png.data[at] ?? 0)) <= 6));
    }),
    { numRuns: 40 },
  );
});

test("a large picture is written in every form", async () => {
  for (const kind of kinds) {
    const metadata = await sharp(
      await bytesOf({ kind, seed: "ab12cd34", width: 2_048, height: 1_536 }),
    ).metadata();
    assert.deepEqual([metadata.format, metadata.width, metadata.height], [kind, 2_048, 1_536]);
  }
});

test("the same seed has the same picture to the byte, another one another", async () => {
  const file = { kind: "png", seed: fingerprintOf("one"), width: 256, height: 256 } as const;
  const bytes = await bytesOf(file);
  assert.ok((await bytesOf(file)).equals(bytes));
  assert.ok(!(await bytesOf({ ...file, seed: fingerprintOf("two") })).equals(bytes));
});

test("there is something on it: many colours, none of them everywhere", async () => {
  const { data } = await read({ kind: "png", seed: fingerprintOf("fox"), width: 512, height: 512 });
  const counts = new Map<number, number>();
  for (let at = 0; at < data.length; at += 3) {
    const colour = data.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  assert.ok(counts.size >= 12);
  assert.ok(Math.max(...counts.values()) < 512 * 512 * 0.5);
});

test("a size that nobody can want costs no more than the largest", async () => {
  for (const width of [1e9, Number.NaN, -5]) {
    const { width: made } = await sharp(
      await bytesOf({ kind: "webp", seed: "0", width, height: 16 }),
    ).metadata();
    assert.ok(made >= 1 && made <= 4_096);
  }
});
