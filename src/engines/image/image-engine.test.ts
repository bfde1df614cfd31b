import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { Problem } from "../../core/problems.ts";
import {
  contextOf,
  dataUrl,
  engine,
  gradient,
  make,
  pixelsOf,
  refusalOf,
  whyNoText,
} from "./image-under-test.ts";

const picture = await gradient(60, 40);
const image = dataUrl(picture);
const source = await pixelsOf(picture);

function near(told: readonly number[], wanted: readonly number[], leeway: number): void {
  for (const [channel, value] of wanted.entries())
    assert.ok(Math.abs((told[channel] ?? -1000) - value) <= leeway, `${told.join()} is not ${wanted.join()}`);
}

test("the engine works where the image library has a binary", () => {
  assert.equal(engine.name, "image");
  assert.equal(engine.missing(), undefined);
});

test("crop takes exactly the pixels of the rectangle", async () => {
  const { bytes } = await make({ operation: "crop", image, left: 7, top: 11, width: 20, height: 13 });
  const cut = await pixelsOf(bytes);
  assert.deepEqual([cut.width, cut.height], [20, 13]);
  for (let y = 0; y < 13; y++)
    for (let x = 0; x < 20; x++) assert.deepEqual(cut.at(x, y), source.at(x + 7, y + 11));
});

test("crop without a place lies in the middle, or where gravity says", async () => {
  const middle = await pixelsOf((await make({ operation: "crop", image, width: 20, height: 20 })).bytes);
  assert.deepEqual(middle.at(0, 0), source.at(20, 10));
  const corner = await make({ operation: "crop", image, width: 20, height: 20, gravity: "southeast" });
  assert.deepEqual((await pixelsOf(corner.bytes)).at(19, 19), source.at(59, 39));
});

test("rotate by a quarter and flip move every pixel to its place", async () => {
  const turned = await pixelsOf((await make({ operation: "rotate", image, angle: 90 })).bytes);
  const mirrored = await pixelsOf((await make({ operation: "rotate", image, flip: "horizontal" })).bytes);
  const both = await pixelsOf(
    (await make({ operation: "rotate", image, flip: "vertical", angle: -90 })).bytes,
  );
  assert.deepEqual([turned.width, turned.height], [40, 60]);
  for (let y = 0; y < 40; y++) {
    for (let x = 0; x < 60; x++) {
      assert.deepEqual(turned.at(39 - y, x), source.at(x, y));
      assert.deepEqual(mirrored.at(59 - x, y), source.at(x, y));
      // Turned upside down first: row y lies at 39 - y, then the right side becomes the top.
      assert.deepEqual(both.at(39 - y, 59 - x), source.at(x, y));
    }
  }
});

test("rotate by another angle keeps all of the picture and fills the corners", async () => {
  const clear = await pixelsOf((await make({ operation: "rotate", image, angle: 45 })).bytes);
  assert.equal(clear.at(0, 0)[3], 0);
  const filled = await make({ operation: "rotate", image, angle: 45, background: "#ff8000", format: "jpeg" });
  near((await pixelsOf(filled.bytes)).at(0, 0), [255, 128, 0, 255], 16);
  const middle = Math.floor(clear.width / 2);
  near(clear.at(middle, Math.floor(clear.height / 2)), source.at(30, 20), 8);
});

test("resize keeps the shape, does not enlarge unless asked, and fits as told", async () => {
  const sizes = async (inputs: object) => {
    const { width, height } = await pixelsOf((await make({ operation: "resize", image, ...inputs })).bytes);
    return [width, height];
  };
  assert.deepEqual(await sizes({ width: 30 }), [30, 20]);
  assert.deepEqual(await sizes({ height: 10 }), [15, 10]);
  assert.deepEqual(await sizes({ width: 30, height: 30 }), [30, 20]);
  assert.deepEqual(await sizes({ width: 30, height: 30, fit: "cover" }), [30, 30]);
  assert.deepEqual(await sizes({ width: 30, height: 30, fit: "outside" }), [45, 30]);
  assert.deepEqual(await sizes({ width: 240 }), [60, 40]);
  assert.deepEqual(await sizes({ width: 240, enlarge: true }), [240, 160]);
});

test("resize to half has the average of each four pixels", async () => {
  const half = await pixelsOf((await make({ operation: "resize", image, width: 30 })).bytes);
  for (let y = 2; y < 18; y++)
    for (let x = 2; x < 28; x++) near(half.at(x, y), [x * 8 + 2, y * 8 + 2, 100, 255], 2);
});

test("contain puts the picture on the ground that was asked for", async () => {
  const { bytes } = await make({
    ...{ operation: "resize", image, width: 30, height: 30, fit: "contain", background: "navy" },
  });
  const contained = await pixelsOf(bytes);
  assert.deepEqual(contained.at(15, 0), [0, 0, 128, 255]);
  near(contained.at(15, 15), source.at(30, 20), 8);
});

test("convert writes each format with the same picture in it", async () => {
  for (const format of ["png", "jpeg", "webp", "avif"]) {
    const { bytes, contentType } = await make({ operation: "convert", image, format, quality: 95 });
    assert.equal(contentType, `image/${format}`);
    const { format: found } = await sharp(bytes).metadata();
    assert.equal(found === "heif" ? "avif" : found, format);
    const converted = await pixelsOf(bytes);
    near(converted.at(30, 20), source.at(30, 20), format === "png" ? 0 : 16);
  }
  assert.equal((await make({ operation: "convert", image, format: "jpg" })).contentType, "image/jpeg");
});

test("a lower quality makes a smaller file", async () => {
  const noise = await sharp({
    create: {
      width: 200,
      height: 200,
      channels: 3,
      background: "gray",
      noise: { type: "gaussian", mean: 128, sigma: 40 },
    },
  })
    .png()
    .toBuffer();
  const sizeAt = async (quality: number) =>
    (await make({ operation: "convert", image: dataUrl(noise), format: "webp", quality })).bytes.length;
  assert.ok((await sizeAt(10)) < (await sizeAt(90)) / 2);
});

test("the format of the source is kept unless another is asked for; GIF becomes PNG", async () => {
  const jpeg = await sharp(picture).jpeg().toBuffer();
  assert.equal((await make({ operation: "crop", image: dataUrl(jpeg), width: 5 })).contentType, "image/jpeg");
  const gif = await sharp(picture).gif().toBuffer();
  assert.equal((await make({ operation: "crop", image: dataUrl(gif), width: 5 })).contentType, "image/png");
});

test("of a moving picture the first frame is taken", async () => {
  const frames = Buffer.concat([Buffer.alloc(20 * 20 * 3, 10), Buffer.alloc(20 * 20 * 3, 200)]);
  const raw = { width: 20, height: 40, channels: 3, pageHeight: 20 } as const;
  for (const moving of [
    await sharp(frames, { raw }).webp({ lossless: true }).toBuffer(),
    await sharp(frames, { raw }).gif().toBuffer(),
  ]) {
    assert.equal((await sharp(moving).metadata()).pages, 2);
    const still = await pixelsOf(
      (await make({ operation: "convert", image: dataUrl(moving), format: "png" })).bytes,
    );
    assert.deepEqual([still.width, still.height], [20, 20]);
    near(still.at(10, 10), [10, 10, 10, 255], 3);
  }
});

test("an overlay lies where it is told, as opaque as it is told, and nothing else changes", async () => {
  const red = await sharp({ create: { width: 10, height: 10, channels: 3, background: "#ff0000" } })
    .png()
    .toBuffer();
  const overlays = [
    { image: dataUrl(red), left: 5, top: 6, width: 4, height: 3 },
    { image_url: dataUrl(red), gravity: "southeast", opacity: 0.5 },
  ];
  const composed = await pixelsOf((await make({ operation: "compose", image, overlays })).bytes);
  for (let y = 0; y < 40; y++) {
    for (let x = 0; x < 60; x++) {
      const below = source.at(x, y);
      if (x >= 5 && x < 9 && y >= 6 && y < 9) assert.deepEqual(composed.at(x, y), [255, 0, 0, 255]);
      else if (x >= 50 && y >= 30)
        near(composed.at(x, y), [127 + (below[0] ?? 0) / 2, (below[1] ?? 0) / 2, 50, 255], 2);
      else assert.deepEqual(composed.at(x, y), below);
    }
  }
});

test("an overlay larger than the picture is made to fit, one that sticks out is cut", async () => {
  const large = dataUrl(await gradient(63, 63));
  for (const overlay of [{ image: large }, { image: large, width: 30, left: -10, top: 30 }]) {
    const { bytes } = await make({ operation: "compose", image, overlays: [overlay] });
    const composed = await pixelsOf(bytes);
    assert.deepEqual([composed.width, composed.height], [60, 40]);
  }
});

test("a watermark is drawn in its corner as text, whatever it says", async (t) => {
  const missing = await whyNoText();
  if (missing !== undefined) {
    t.skip(missing);
    return;
  }
  const plain = await sharp({ create: { width: 400, height: 300, channels: 3, background: "#204060" } })
    .png()
    .toBuffer();
  const watermark = { text: `</b>&"`, color: "#ffffff", opacity: 1, font_size: 24 };
  const marked = await pixelsOf(
    (await make({ operation: "compose", image: dataUrl(plain), watermark })).bytes,
  );
  const inkIn = (left: number, top: number) => {
    let ink = 0;
    for (let y = top; y < top + 150; y++)
      for (let x = left; x < left + 200; x++) ink += Number((marked.at(x, y)[0] ?? 0) > 0x80);
    return ink;
  };
  assert.ok(inkIn(200, 150) > 100, "nothing was drawn");
  assert.equal(inkIn(0, 0) + inkIn(200, 0) + inkIn(0, 150), 0);
});

test("a picture by address is read through the guarded way out, with the bound of the engine", async () => {
  const asked: unknown[] = [];
  const { bytes } = await make(
    { operation: "resize", image_url: "https://pictures.example/a.png", width: 6 },
    {
      fetchFile: (url, maxBytes) => {
        asked.push([url, maxBytes]);
        return Promise.resolve({ bytes: picture, contentType: "text/html", url });
      },
    },
  );
  assert.deepEqual(asked, [["https://pictures.example/a.png", 25_000_000]]);
  assert.equal((await pixelsOf(bytes)).width, 6);
});

test("a refusal to fetch names the input that held the address", async () => {
  const inputs = { operation: "compose", image, overlays: [{ image: "http://10.0.0.1/" }] };
  const refusal = await refusalOf(inputs, {
    fetchFile: () => Promise.reject(new Problem("invalid_request", { message: "This address is private." })),
  });
  assert.deepEqual(refusal, {
    code: "invalid_request",
    param: "overlays[0].image",
    message: "This address is private.",
  });
});

test("a run that is called off ends at once, also while a slow server is being read", async () => {
  const controller = new AbortController();
  const reason = new Problem("shutting_down");
  const run = engine.run(
    contextOf(
      { operation: "resize", image: "https://slow.example/", width: 6 },
      { signal: controller.signal, fetchFile: () => new Promise(() => {}) },
    ),
  );
  controller.abort(reason);
  await assert.rejects(run, reason);
});

test("a run that is called off while its picture is made ends at once", async () => {
  const noise = await sharp({
    create: {
      width: 3000,
      height: 2000,
      channels: 3,
      background: "gray",
      noise: { type: "gaussian", mean: 128, sigma: 60 },
    },
  })
    .jpeg()
    .toBuffer();
  const controller = new AbortController();
  const reason = new Problem("shutting_down");
  const inputs = { operation: "convert", image: dataUrl(noise), format: "avif" };
  const run = engine.run(contextOf(inputs, { signal: controller.signal }));
  setImmediate(() => controller.abort(reason));
  await assert.rejects(run, reason);
  const aborted = AbortSignal.abort(reason);
  await assert.rejects(engine.run(contextOf({ operation: "qr", text: "x" }, { signal: aborted })), reason);
});
