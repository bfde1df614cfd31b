import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import QRCode from "qrcode";
import sharp from "sharp";
import { dataUrl, make, pixelsOf, refusalOf, whyNoText } from "./image-under-test.ts";
import type { Pixels } from "./image-under-test.ts";

/** Dark modules by rows, each module looked at in its middle. */
function modulesIn(picture: Pixels, modules: number, margin: number): readonly (readonly boolean[])[] {
  const scale = Math.floor(picture.width / (modules + 2 * margin));
  const start = Math.floor((picture.width - scale * modules) / 2);
  const middle = (index: number) => start + index * scale + Math.floor(scale / 2);
  const indexes = Array.from({ length: modules }, (_, index) => index);
  return indexes.map((row) =>
    indexes.map((column) => (picture.at(middle(column), middle(row))[0] ?? 0) < 128),
  );
}

function wantedModules(text: string, level: "L" | "M" | "Q" | "H"): readonly (readonly boolean[])[] {
  const { modules } = QRCode.create(text, { errorCorrectionLevel: level });
  const indexes = Array.from({ length: modules.size }, (_, index) => index);
  return indexes.map((row) => indexes.map((column) => modules.get(row, column) === 1));
}

test("qr draws exactly the modules of the code, in PNG and in SVG, for any text and size", async () => {
  const wish = fc.record({
    text: fc.string({ minLength: 1, maxLength: 80, unit: "grapheme" }),
    level: fc.constantFrom("L", "M", "Q", "H"),
    size: fc.integer({ min: 120, max: 400 }),
    margin: fc.integer({ min: 0, max: 6 }),
    format: fc.constantFrom("png", "svg"),
  });
  await fc.assert(
    fc.asyncProperty(wish, async ({ text, level, size, margin, format }) => {
      const wanted = wantedModules(text.toWellFormed(), level);
      fc.pre(size >= wanted.length + 2 * margin);
      const inputs = { operation: "qr", text, error_correction: level, size, margin, format };
      const picture = await pixelsOf((await make(inputs)).bytes);
      assert.equal(picture.width, size);
      assert.deepEqual(modulesIn(picture, wanted.length, margin), wanted);
    }),
    { numRuns: 60 },
  );
});

test("qr has the colours that were asked for, quiet ground around it, and no other", async () => {
  const { bytes, contentType } = await make({
    ...{ operation: "qr", data: "https://example.com/", color: "#003366", background: "#ffee00", size: 200 },
  });
  assert.equal(contentType, "image/png");
  const picture = await pixelsOf(bytes);
  const found = new Set<string>();
  for (let y = 0; y < 200; y++) for (let x = 0; x < 200; x++) found.add(picture.at(x, y).join());
  assert.deepEqual([...found].toSorted(), ["0,51,102,255", "255,238,0,255"]);
  for (let x = 0; x < 200; x++) assert.equal(picture.at(x, 10).join(), "255,238,0,255");
});

test("a scanner that others wrote reads the code", async (t) => {
  if (spawnSync("zbarimg", ["--version"]).error !== undefined) {
    t.skip("skipped: no zbarimg");
    return;
  }
  for (const text of [
    "https://example.com/a?b=c&d=%20e",
    "0123456789".repeat(20),
    "WIFI:T:WPA;S:net;P:pass;;",
  ]) {
    const { bytes } = await make({ operation: "qr", text, size: 600, error_correction: "high" });
    const read = spawnSync("zbarimg", ["--quiet", "--raw", "-"], { input: bytes });
    assert.equal(read.stdout.toString().trim(), text);
  }
});

test("qr refuses what no code holds, what cannot be drawn so small, and what nobody would see", async () => {
  const refused: readonly (readonly [object, string])[] = [
    [{}, "text"],
    [{ text: "" }, "text"],
    [{ text: "x".repeat(2954), error_correction: "L" }, "text"],
    [{ data: "x".repeat(2000), error_correction: "H" }, "data"],
    [{ text: "x".repeat(9000) }, "text"],
    [{ text: "x".repeat(1000), size: 64 }, "size"],
    [{ text: "x", color: "white" }, "color"],
    [{ text: "x", error_correction: "best" }, "error_correction"],
    [{ text: "x", format: "jpeg" }, "format"],
  ];
  for (const [inputs, param] of refused)
    assert.equal((await refusalOf({ operation: "qr", ...inputs })).param, param);
  await make({ operation: "qr", text: "x".repeat(2953), error_correction: "L" });
});

/** Where anything but the background is, which the first pixel has. */
function inkOf({ data, width, height }: Pixels) {
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const ink = { left: width, right: -1, top: height, bottom: -1 };
  for (const [index, pixel] of pixels.entries()) {
    if (pixel === pixels[0]) continue;
    const x = index % width;
    const y = (index - x) / width;
    ink.left = Math.min(ink.left, x);
    ink.right = Math.max(ink.right, x);
    ink.top = Math.min(ink.top, y);
    ink.bottom = Math.max(ink.bottom, y);
  }
  return ink;
}

const missing = await whyNoText();

function drawsText(name: string, check: () => Promise<void>): void {
  test(name, (t) => (missing === undefined ? check() : t.skip(missing)));
}

drawsText(
  "text of any length and kind stays within the margins, in the size that was asked for",
  async () => {
    const bodies = [
      "A short line",
      "WMWMWM".repeat(40),
      "Words, words, words. ".repeat(100),
      "Zeile 1\nZeile 2\r\n\r\nÄÖÜ ß",
      "Ведь это русский текст. ".repeat(20),
      "漢字かな交じり文。".repeat(30),
      "a".repeat(700),
    ];
    for (const [index, body] of bodies.entries()) {
      for (const font of ["sans", "serif", "mono"]) {
        const inputs = { operation: "text", title: `Title ${index}`, body, font, size: "800x500" };
        const picture = await pixelsOf((await make(inputs)).bytes);
        assert.deepEqual([picture.width, picture.height], [800, 500]);
        const ink = inkOf(picture);
        assert.ok(ink.right > 60, "nothing was drawn");
        const isWithin = ink.left >= 36 && ink.right < 770 && ink.top >= 36 && ink.bottom < 470;
        assert.ok(isWithin, `${body.slice(0, 10)} ${font} ${JSON.stringify(ink)}`);
      }
    }
  },
);

drawsText("text that looks like markup is drawn, not run: any characters give a picture", async () => {
  const hostile = [
    '</text><image href="file:///etc/passwd" width="500" height="500"/>',
    '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>&x;',
    "&#x0; &amp; ]]> <![CDATA[x",
    '" onload="alert(1)',
    `x\u0000\u0008\u001b\ufffe${String.fromCharCode(0xd800)}😀`,
  ];
  for (const title of hostile) {
    const { bytes } = await make({ operation: "text", title, body: title });
    const { format } = await sharp(bytes).metadata();
    assert.equal(format, "png");
    assert.ok(inkOf(await pixelsOf(bytes)).right > 0);
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (body) => {
      await make({ operation: "text", title: "x", body, width: 300, height: 200 });
    }),
    { numRuns: 40 },
  );
});

drawsText("text has the colours, the sides and the sizes that were asked for", async () => {
  const inputs = {
    operation: "text",
    body: "I",
    background: "#102030",
    color: "#ff0000",
    width: 400,
    height: 200,
  };
  const left = await pixelsOf((await make(inputs)).bytes);
  assert.deepEqual(left.at(0, 0), [16, 32, 48, 255]);
  const ink = inkOf(left);
  const centred = inkOf(await pixelsOf((await make({ ...inputs, align: "center" })).bytes));
  const right = inkOf(await pixelsOf((await make({ ...inputs, align: "right" })).bytes));
  assert.ok(ink.left < 30 && Math.abs(centred.left + centred.right - 400) < 8 && right.right > 370);
  const small = inkOf(await pixelsOf((await make({ ...inputs, font_size: 12 })).bytes));
  assert.ok(small.bottom - small.top < 12 && ink.bottom - ink.top > 12);
  assert.equal((await make({ ...inputs, format: "webp" })).contentType, "image/webp");
});

drawsText("text that does not fit, cannot be seen or is not there is refused", async () => {
  const refused: readonly (readonly [object, string])[] = [
    [{}, "title"],
    [{ title: "\u200b \n" }, "title"],
    [{ body: "word ".repeat(900), width: 100, height: 100 }, "body"],
    [{ title: "x".repeat(100), font_size: 200 }, "title"],
    [{ title: "x", color: "#fff" }, "color"],
    [{ title: "x", size: "huge" }, "size"],
    [{ title: "x", font: "Comic Sans" }, "font"],
    [{ title: "x", size: "9999x10" }, "size"],
    [{ title: "x".repeat(301) }, "title"],
  ];
  for (const [inputs, param] of refused)
    assert.equal((await refusalOf({ operation: "text", ...inputs })).param, param, JSON.stringify(inputs));
});

test("an SVG code holds squares only, nothing of the text it stands for", async () => {
  const { bytes } = await make({ operation: "qr", text: "<script>alert(1)</script>", format: "svg" });
  const svg = bytes.toString();
  assert.match(svg, /^<svg [^<>]*><rect [^<>]*\/><path d="[MhHvVz\d -]+" [^<>]*\/><\/svg>$/);
  assert.ok(!svg.includes("script") && !svg.includes("href"));
  assert.equal(
    (await refusalOf({ operation: "convert", image: dataUrl(bytes), format: "png" })).param,
    "image",
  );
});
