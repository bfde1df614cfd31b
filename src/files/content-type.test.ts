import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { strToU8, zipSync } from "fflate";
import fc from "fast-check";
import sharp from "sharp";
import { contentTypeOf } from "./content-type.ts";
import type { FileLook } from "./content-type.ts";

const latin = (text: string) => Buffer.from(text, "latin1");

function typeOf(bytes: Buffer, claim: Pick<FileLook, "claimedType" | "name" | "isResult"> = {}): string {
  return contentTypeOf({ head: bytes.subarray(0, 4096), isWhole: bytes.length <= 4096, ...claim });
}

function ftyp(brand: string, ...compatible: readonly string[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(16 + 4 * compatible.length);
  return Buffer.concat([
    length,
    latin(`ftyp${brand}\0\0\0\0${compatible.join("")}`),
    latin("\0\0\0\x08free"),
  ]);
}

/** Each as its specification lets a file begin. */
const samples: Readonly<Record<string, readonly Buffer[]>> = {
  "image/png": [latin("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")],
  "image/jpeg": [latin("\xff\xd8\xff\xe0\0\x10JFIF"), latin("\xff\xd8\xff\xe1\0\x10Exif")],
  "image/gif": [latin("GIF87a\x01\0"), latin("GIF89a\x01\0")],
  "image/webp": [latin("RIFF\x24\0\0\0WEBPVP8 ")],
  "image/avif": [ftyp("avif", "mif1"), ftyp("mif1", "avif", "miaf")],
  "image/heic": [ftyp("heic", "mif1")],
  "audio/mpeg": [latin("ID3\x04\0\0"), latin("\xff\xfb\x90\x64"), latin("\xff\xf3\x44\xc4")],
  "audio/aac": [latin("\xff\xf1\x50\x80"), latin("\xff\xf9\x50\x80")],
  "audio/wav": [latin("RIFF\x24\0\0\0WAVEfmt ")],
  "audio/ogg": [latin("OggS\0\x02\0\0")],
  "audio/flac": [latin("fLaC\0\0\0\x22")],
  "audio/mp4": [ftyp("M4A ", "isom")],
  "video/mp4": [ftyp("isom", "iso2", "avc1"), ftyp("mp42")],
  "video/quicktime": [ftyp("qt  ")],
  "video/webm": [latin("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm")],
  "application/pdf": [latin("%PDF-1.7\n%\xe2\xe3\xcf\xd3")],
  "application/zip": [latin("PK\x05\x06".padEnd(22, "\0"))],
};

describe("the content type from the bytes", () => {
  for (const [type, files] of Object.entries(samples)) {
    test(`${type}, whatever the sender says it is`, () => {
      for (const bytes of files) {
        assert.equal(typeOf(bytes), type);
        assert.equal(typeOf(bytes, { claimedType: "text/html", name: "page.html" }), type);
        assert.equal(typeOf(Buffer.concat([bytes, Buffer.alloc(9000, 1)])), type);
      }
    });
  }

  test("pictures as an encoder makes them", async () => {
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: "#123456" } });
    for (const format of ["png", "jpeg", "webp", "gif", "avif"] as const)
      assert.equal(typeOf(await picture.clone().toFormat(format).toBuffer()), `image/${format}`);
  });

  test("Office documents and other archives as a tool packs them", () => {
    const office = "application/vnd.openxmlformats-officedocument";
    const kinds: Readonly<Record<string, string>> = {
      "word/document.xml": `${office}.wordprocessingml.document`,
      "xl/workbook.xml": `${office}.spreadsheetml.sheet`,
      "ppt/presentation.xml": `${office}.presentationml.presentation`,
      "sword/document.xml": "application/zip",
    };
    for (const [entry, type] of Object.entries(kinds)) {
      const text = strToU8("<xml/>".repeat(100));
      const parts = { "[Content_Types].xml": text, "_rels/.rels": text, [entry]: text };
      assert.equal(typeOf(Buffer.from(zipSync(parts))), type);
      assert.equal(typeOf(Buffer.from(zipSync(parts, { level: 0 }))), type);
    }
  });

  test("what a browser could run is plain text, whoever claims otherwise", () => {
    const pages = [
      "<!doctype html><script>alert(1)</script>",
      "<html><body onload=alert(1)>",
      '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
      '<?xml version="1.0"?><x xmlns:h="http://www.w3.org/1999/xhtml"/>',
      "alert(document.cookie)",
      "%!PS-Adobe-3.0",
      "body { color: red }",
    ];
    const claims = [
      "text/html",
      "image/svg+xml",
      "application/xhtml+xml",
      "text/javascript",
      "image/png",
      "",
      "x",
    ];
    for (const page of pages) {
      for (const claimedType of [...claims, undefined]) {
        assert.equal(typeOf(Buffer.from(page), { claimedType }), "text/plain", `${page} as ${claimedType}`);
        assert.equal(typeOf(Buffer.from(page), { claimedType, name: "a.html" }), "text/plain");
      }
    }
  });

  test("a drawing is one only as the result of a run, called so by who made it, and beginning like one", () => {
    const drawing = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script/></svg>';
    const result = { claimedType: "image/svg+xml; charset=utf-8", isResult: true };
    const begun = ["", "\ufeff", " \n", '<?xml version="1.0"?>\n', "<!-- Made by hand -->\n"].map(
      (before) => before + drawing,
    );
    for (const text of begun) {
      assert.equal(typeOf(Buffer.from(text), result), "image/svg+xml");
      assert.equal(typeOf(Buffer.from(text), { ...result, isResult: false }), "text/plain");
      assert.equal(typeOf(Buffer.from(text), { claimedType: "image/svg+xml" }), "text/plain");
      assert.equal(typeOf(Buffer.from(text), { ...result, claimedType: "text/html" }), "text/plain");
      assert.equal(typeOf(Buffer.from(text), { isResult: true, name: "a.svg" }), "text/plain");
    }
    const others = [
      "<!doctype html><svg>",
      `<html>${drawing}`,
      '<!DOCTYPE svg [<!ENTITY a "aa">]><svg/>',
      "<svgx/>",
      "svg",
      '<x:svg xmlns:x="http://www.w3.org/2000/svg"/>',
    ];
    for (const text of others) assert.equal(typeOf(Buffer.from(text), result), "text/plain", text);
  });

  test("among texts the sender's word decides, then the name", () => {
    const text = Buffer.from("name,age\nAda,36\n");
    const cases: readonly (readonly [
      claimedType: string | undefined,
      name: string | undefined,
      type: string,
    ])[] = [
      [undefined, undefined, "text/plain"],
      ["text/csv; charset=utf-8", undefined, "text/csv"],
      ["TEXT/Markdown", undefined, "text/markdown"],
      [undefined, "people.CSV", "text/csv"],
      ["text/plain", "people.csv", "text/csv"],
      ["application/octet-stream", "notes.md", "text/markdown"],
      ["text/markdown", "people.csv", "text/markdown"],
      ["application/jsonl", undefined, "application/jsonl"],
      ["image/png", "people.csv", "text/plain"],
    ];
    for (const [claimedType, name, type] of cases) assert.equal(typeOf(text, { claimedType, name }), type);
  });

  test("JSON is what parses as an object or array, and longer than we look what begins so and is called so", () => {
    const json = { claimedType: "application/json" };
    assert.equal(typeOf(Buffer.from(' {"a": [1, 2]}\n')), "application/json");
    assert.equal(typeOf(Buffer.from("[1, 2]"), { claimedType: "text/plain" }), "application/json");
    assert.equal(typeOf(Buffer.from("[1, 2"), json), "text/plain");
    assert.equal(typeOf(Buffer.from("12"), json), "text/plain");
    assert.equal(typeOf(Buffer.from("[x](y) is a link in Markdown")), "text/plain");
    const long = Buffer.from(JSON.stringify({ long: "x".repeat(9000) }));
    assert.equal(typeOf(long), "text/plain");
    assert.equal(typeOf(long, json), "application/json");
    assert.equal(typeOf(long, { name: "long.json" }), "application/json");
    assert.equal(typeOf(Buffer.from("x".repeat(9000)), json), "text/plain");
  });

  test("bytes that are neither signed nor text are bytes", () => {
    const others = [
      Buffer.alloc(0),
      Buffer.alloc(100),
      latin("\xff\xfeh\0i\0"),
      latin("caf\xe9"),
      Buffer.from("text with a NUL\0"),
      latin("\x7fELF\x02\x01"),
      latin("MZ\x90\0"),
      latin("RIFF\x24\0\0\0AVI "),
      latin("\xff\xff\xff\xff"),
      latin("\xc3"),
    ];
    for (const bytes of others)
      assert.equal(
        typeOf(bytes, { claimedType: "text/plain" }),
        "application/octet-stream",
        bytes.toString("hex"),
      );
  });

  test("a text is a text wherever the look at it ends within a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.nat(), (sample, length) => {
        const text = Buffer.from(`Text ${sample.replaceAll(/\p{Cc}/gu, " ")}`.repeat(3));
        const head = text.subarray(0, 1 + (length % text.length));
        assert.equal(contentTypeOf({ head, isWhole: false }), "text/plain");
      }),
      { numRuns: 500 },
    );
    assert.equal(
      contentTypeOf({ head: latin("caf\xc3\xa9 \xe9\xe9\xe9\xe9"), isWhole: false }),
      "application/octet-stream",
    );
  });

  test("no bytes and no claim give a type outside the list, or throw", () => {
    const known =
      /^(?:text\/(?:plain|markdown|csv|tab-separated-values|vtt)|image\/(?:png|jpeg|gif|webp|avif|heic)|(?:audio|video)\/[\w-]+|application\/(?:json|jsonl|pdf|zip|octet-stream|vnd\.openxml[\w.-]+))$/;
    const beginnings = Object.values(samples).flat();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 40 }))
        .map(([begin, rest, cut]) => Buffer.concat([begin.subarray(0, cut), rest])),
    );
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), fc.boolean(), (head, claimedType, name, isWhole) => {
        assert.match(contentTypeOf({ head: Buffer.from(head), claimedType, name, isWhole }), known);
      }),
      { numRuns: 2000 },
    );
  });
});
