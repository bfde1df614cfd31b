import assert from "node:assert/strict";
import { validateHeaderValue } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { contentDisposition } from "./content-disposition.ts";

test("a plain name stands in quotes, and in any other alphabet twice", () => {
  assert.equal(contentDisposition("inline", "a photo.png"), 'inline; filename="a photo.png"');
  assert.equal(
    contentDisposition("attachment", "€ 100%.txt"),
    `attachment; filename="_ 100_.txt"; filename*=UTF-8''%E2%82%AC%20100%25.txt`,
  );
  assert.equal(
    contentDisposition("attachment", `it's (a) "b*"`),
    `attachment; filename="it's (a) _b*_"; filename*=UTF-8''it%27s%20%28a%29%20%22b%2A%22`,
  );
});

test("whatever a name holds, the header is one, its quotes close where they should, and the name can be read back", () => {
  const form =
    /^attachment; filename="([\x20\x21\x23-\x5b\x5d-\x7e]*)"(?:; filename\*=UTF-8''([\w!#$&+.^`|~%-]*))?$/;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      const header = contentDisposition("attachment", name);
      validateHeaderValue("content-disposition", header);
      const [, plain, whole] = form.exec(header) ?? [];
      assert.ok(plain !== undefined, header);
      assert.equal(whole === undefined ? plain : decodeURIComponent(whole), name.toWellFormed());
    }),
    { numRuns: 1000 },
  );
});
