import assert from "node:assert/strict";
import { test } from "node:test";
import { PDFDocument } from "pdf-lib";
import { extractText } from "unpdf";
import { bytesOf } from "./media-file.ts";
import { fileIn, tokenOf } from "./media-token.ts";

test("a PDF has the pages asked for, and their text can be read", async () => {
  const bytes = await bytesOf({ kind: "pdf", title: "Offer (draft) \\ Größe", pages: 3 });
  const { text, totalPages } = await extractText(new Uint8Array(bytes));
  assert.equal(totalPages, 3);
  assert.equal(text[1], "Offer (draft) \\ Größe - page 2 of 3");
  assert.equal((await PDFDocument.load(bytes)).getPageCount(), 3);
});

test("a token carries the recipe of a file, and when it expires", () => {
  const picture = { kind: "jpeg", seed: "0123456789abcdef", width: 640, height: 480 } as const;
  assert.match(tokenOf(picture), /^[\w-]+\.jpg$/);
  assert.deepEqual(fileIn(tokenOf(picture)), { file: picture, expiresAt: undefined });
  const sound = { kind: "mp3", seed: "0123456789abcdef", ms: 5_000, rate: 22_050, kbps: 32 } as const;
  assert.deepEqual(fileIn(tokenOf(sound, 17)), { file: sound, expiresAt: 17 });
  const pdf = { kind: "pdf", title: "Offer", pages: 2 } as const;
  assert.deepEqual(fileIn(tokenOf(pdf))?.file, pdf);
});

test("what is no token is no file", () => {
  const written = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const token of ["", "nobody.png", written([1]), written({ kind: "exe" }), written(null)]) {
    assert.equal(fileIn(token), undefined);
  }
});
