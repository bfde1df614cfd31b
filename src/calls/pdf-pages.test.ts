import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { PDFDocument } from "pdf-lib";
import { pagesAtMost } from "./pdf-pages.ts";

const characters = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

async function pdfOf(pages: number, useObjectStreams: boolean): Promise<string> {
  const document = await PDFDocument.create();
  for (let page = 0; page < pages; page += 1) document.addPage();
  return characters(await document.save({ useObjectStreams }));
}

/** As programs write it whose objects are in streams. */
const objectStream = (objects: string, packed = characters(deflateSync(objects))): string =>
  `%PDF-1.5\n9 0 obj\n<</Type/ObjStm/N 2/First 9/Filter/FlateDecode>>\nstream\r\n${packed}\r\nendstream\nendobj\n`;

test("the pages of a PDF are counted, whether their objects lie open or in compressed streams", async () => {
  for (const pages of [1, 3, 300]) {
    for (const useObjectStreams of [false, true])
      assert.equal(pagesAtMost(await pdfOf(pages, useObjectStreams)), pages);
  }
  assert.equal(
    pagesAtMost("<</Type /Page>> <</Type\n/Page/Parent 2 0 R>> <</Type/Pages>> <</Type/PageLabel>>"),
    2,
  );
});

test("a first page that lies open does not hide those in a compressed stream", () => {
  assert.equal(pagesAtMost(`<</Type/Page>>${objectStream("<</Type/Page>>".repeat(11))}`), 12);
});

test("a page that a tree names again and again counts as often as the tree says", () => {
  assert.equal(pagesAtMost("<</Type/Pages/Count 300/Kids[3 0 R 3 0 R]>> <</Type/Page>>"), 300);
});

test("headings of an outline are no pages", () => {
  const outline =
    "<</Type/Outlines/First 5 0 R/Last 9 0 R/Count 60>> <</Title(A)/Count 50/First 7 0 R/Last 8 0 R>>";
  assert.equal(pagesAtMost(`<</Type/Pages/Kids[3 0 R]/Count 1>>${outline}<</Type/Page>>`), 1);
});

test("where pages may be hidden the size bounds them, and no file has more than a provider takes", () => {
  const unreadable = objectStream("", "encrypted".repeat(5_000));
  assert.ok(pagesAtMost(`<</Type/Page>>${unreadable}`) >= 90);
  assert.ok(pagesAtMost("%PDF-1.5".repeat(10_000)) >= 160);
  assert.equal(pagesAtMost("<</Type/Page>>".repeat(5_000)), 600);
});

test("what takes long to look through is given up: it counts as a file of the most pages", () => {
  const size = 4_000_000;
  const tiny = objectStream("<</Type/Page>>");
  const hostile = [
    "/Count 1 ".repeat(size / 9),
    "/Type ".repeat(size / 6),
    `/Type${" ".repeat(size)}`,
    "/ObjStm ".repeat(size / 8),
    "/ObjStm stream\n".repeat(size / 15),
    tiny.repeat(size / tiny.length),
    objectStream(" ".repeat(100_000_000)) + "x".repeat(size / 4),
  ];
  for (const pdf of hostile) {
    const startedAt = performance.now();
    assert.equal(pagesAtMost(pdf), 600, pdf.slice(0, 40));
    // Milliseconds where it is looked through once; minutes where it is looked through from every byte.
    assert.ok(performance.now() - startedAt < 5_000, pdf.slice(0, 40));
  }
});
