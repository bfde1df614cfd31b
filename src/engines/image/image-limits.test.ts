import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { Problem } from "../../core/problems.ts";
import { contextOf, dataUrl, engine, gradient, make, pixelsOf, refusalOf } from "./image-under-test.ts";

const picture = await gradient(60, 40);
const image = dataUrl(picture);

test("EXIF, GPS, XMP, IPTC and comments of the source are gone, and the picture is upright", async () => {
  const exif = {
    IFD0: { Copyright: "Somebody", Artist: "Jane Secret", ImageDescription: "At home" },
    IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 3230/100" },
  };
  const xmp =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>';
  for (const format of ["jpeg", "webp", "png", "avif"] as const) {
    const tagged = await sharp(picture)
      .withMetadata({ orientation: 6, exif })
      .withXmp(xmp)
      .toFormat(format)
      .toBuffer();
    assert.ok((await sharp(tagged).metadata()).exif !== undefined, `the ${format} has nothing to lose`);
    const { bytes } = await make({ operation: "convert", image: dataUrl(tagged), format });
    const left = await sharp(bytes).metadata();
    assert.deepEqual([left.exif, left.xmp, left.iptc, left.orientation], Array(4).fill(undefined));
    assert.ok(!/Secret|Somebody|At home|xmpmeta/.test(bytes.toString("latin1")));
  }
  const turned = await sharp(picture).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
  const upright = await pixelsOf(
    (await make({ operation: "convert", image: dataUrl(turned), format: "png" })).bytes,
  );
  assert.deepEqual([upright.width, upright.height], [40, 60]);
  // Orientation 6: what is stored at the bottom left belongs to the top left.
  const [red = 255, green = 0] = upright.at(0, 0);
  assert.ok(red < 16 && green > 130, upright.at(0, 0).join());
});

/** A PNG of one colour that says it is as large as this: a thousand times smaller than what it unfolds to. */
function bombOf(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height), { level: 9 });
  const chunks = [chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}

function chunk(type: string, body: Buffer): Buffer {
  const framed = Buffer.alloc(12 + body.length);
  framed.writeUInt32BE(body.length, 0);
  framed.write(type, 4, "latin1");
  body.copy(framed, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, 8 + body.length)), 8 + body.length);
  return framed;
}

test("a decompression bomb is refused by its header, before a pixel of it is unfolded", async () => {
  const bomb = bombOf(20_000, 20_000);
  assert.ok(bomb.length < 100_000);
  const begun = performance.now();
  const refusal = await refusalOf({ operation: "resize", image: dataUrl(bomb), width: 10 });
  assert.equal(refusal.param, "image");
  assert.match(refusal.message, /20000×20000 pixels; at most 50 million/);
  assert.ok(performance.now() - begun < 15_000);
  const asOverlay = { operation: "compose", image, overlays: [{ image: dataUrl(bomb) }] };
  assert.equal((await refusalOf(asOverlay)).param, "overlays[0].image");
});

test("a picture that is just small enough is read", async () => {
  const { bytes } = await make({ operation: "resize", image: dataUrl(bombOf(7000, 7000)), width: 7 });
  assert.equal((await pixelsOf(bytes)).height, 7);
});

test("SVG is refused under whatever name and type it comes", async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>';
  const pretenders = [svg, `<?xml version="1.0"?>${svg}`, `GIF89a ${svg}`, `﻿${svg}`, `<!-- PNG -->${svg}`];
  for (const pretender of pretenders)
    for (const type of ["image/svg+xml", "image/png"]) {
      const inputs = { operation: "resize", image: dataUrl(Buffer.from(pretender), type), width: 3 };
      const { code, param } = await refusalOf(inputs);
      assert.deepEqual([code, param], ["invalid_request", "image"]);
    }
});

test("what would come out too large is refused before it is made", async () => {
  const refused = [
    { operation: "resize", image, width: 8000, fit: "outside", height: 8000, enlarge: true },
    { operation: "resize", image, height: 8192, enlarge: true },
    { operation: "resize", image, width: 9000 },
    { operation: "convert", image: dataUrl(bombOf(9000, 100)), format: "jpeg" },
    { operation: "rotate", image: dataUrl(bombOf(8000, 4000)), angle: 45 },
    { operation: "crop", image: dataUrl(bombOf(9000, 100)), width: 8500 },
    { operation: "convert", image: dataUrl(bombOf(5000, 5000)), format: "avif" },
    { operation: "resize", image, width: 6000, enlarge: true, format: "avif" },
    { operation: "qr", text: "x", size: 5000 },
    { operation: "text", title: "x", width: 5000 },
  ];
  for (const inputs of refused) {
    const begun = performance.now();
    assert.equal((await refusalOf(inputs)).code, "invalid_request", JSON.stringify(inputs).slice(0, 60));
    assert.ok(performance.now() - begun < 15_000);
  }
});

test("more bytes than the bound are refused in a data URL, and asked for by nobody by address", async () => {
  const { param, message } = await refusalOf({
    ...{ operation: "resize", width: 3, image: dataUrl(Buffer.alloc(25_000_001)) },
  });
  assert.equal(param, "image");
  assert.match(message, /at most 25 MB/);
});

const faults: readonly (readonly [object, string])[] = [
  [{}, "operation"],
  [{ operation: "draw" }, "operation"],
  [{ operation: "constructor" }, "operation"],
  [{ operation: "resize", width: 5 }, "image"],
  [{ operation: "resize", image: 5, width: 5 }, "image"],
  [{ operation: "resize", image: "ftp://example.com/a.png", width: 5 }, "image"],
  [{ operation: "resize", image_url: "file:///etc/passwd", width: 5 }, "image_url"],
  [{ operation: "resize", image: "/etc/passwd", width: 5 }, "image"],
  [{ operation: "resize", image: "data:image/png;base64,%%%", width: 5 }, "image"],
  [{ operation: "resize", image: "data:image/png,abc", width: 5 }, "image"],
  [{ operation: "resize", image }, "width"],
  [{ operation: "resize", image, width: 0 }, "width"],
  [{ operation: "resize", image, width: 2.5 }, "width"],
  [{ operation: "resize", image, width: "20" }, "width"],
  [{ operation: "resize", image, width: 5, fit: "squeeze" }, "fit"],
  [{ operation: "resize", image, width: 5, enlarge: "yes" }, "enlarge"],
  [{ operation: "convert", image }, "format"],
  [{ operation: "convert", image, format: "svg" }, "format"],
  [{ operation: "convert", image, format: "png", quality: 101 }, "quality"],
  [{ operation: "crop", image, width: 61 }, "width"],
  [{ operation: "crop", image, left: 50, width: 11 }, "width"],
  [{ operation: "crop", image, top: 40 }, "height"],
  [{ operation: "rotate", image }, "angle"],
  [{ operation: "rotate", image, angle: Number.NaN }, "angle"],
  [{ operation: "rotate", image, angle: 45, background: "url(#x)" }, "background"],
  [{ operation: "compose", image }, "overlays"],
  [{ operation: "compose", image, overlays: [7] }, "overlays[0]"],
  [{ operation: "compose", image, overlays: [{ image, opacity: 2 }] }, "overlays[0].opacity"],
  [{ operation: "compose", image, overlays: [{ image }, {}] }, "overlays[1].image"],
  [{ operation: "compose", image, overlays: Array(11).fill({ image }) }, "overlays"],
  [{ operation: "compose", image, watermark: " " }, "watermark.text"],
  [{ operation: "compose", image, watermark: "x".repeat(200) }, "watermark.text"],
  [{ operation: "compose", image, watermark: { text: "x", color: '"/><script/>' } }, "watermark.color"],
];

for (const [inputs, param] of faults)
  test(`refused, naming ${param}: ${JSON.stringify(inputs).replaceAll(image, "…")}`, async () => {
    assert.deepEqual((await refusalOf({ ...inputs })).param, param);
  });

test("a picture with any bytes changed or cut off makes a picture or a refusal, never another error", async () => {
  const originals = [
    picture,
    await sharp(picture).jpeg().toBuffer(),
    await sharp(picture).webp().toBuffer(),
    await sharp(picture).gif().toBuffer(),
    await sharp(picture).tiff().toBuffer(),
    await sharp(picture).avif({ effort: 0 }).toBuffer(),
  ];
  const change = fc.record({
    original: fc.constantFrom(...originals),
    places: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), { maxLength: 8 }),
    kept: fc.double({ min: 0.1, max: 1, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ original, places, kept }) => {
      const bytes = Buffer.from(original.subarray(0, Math.ceil(original.length * kept)));
      for (const [place, value] of places) bytes[Math.floor(place * bytes.length)] = value;
      try {
        await engine.run(contextOf({ operation: "resize", image: dataUrl(bytes), width: 8 }));
      } catch (error) {
        assert.ok(error instanceof Problem && error.status === 400, String(error));
      }
    }),
    { numRuns: 150 },
  );
});

test("only two pictures are worked on at once; the others wait, and too many are turned away", async () => {
  const inputs = { operation: "resize", image: dataUrl(bombOf(6000, 6000)), width: 500 };
  const runs = await Promise.allSettled(Array.from({ length: 40 }, () => engine.run(contextOf(inputs))));
  const refused = runs.filter((run) => run.status === "rejected").map((run) => run.reason as unknown);
  assert.equal(refused.length, 40 - 2 - 24);
  for (const reason of refused)
    assert.ok(reason instanceof Problem && reason.code === "service_unavailable", String(reason));
});
