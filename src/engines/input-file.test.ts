import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { charsIn } from "./input-values.ts";
import { decodeBase64 } from "./input-file.ts";

test("base64 that was encoded by anybody is decoded to the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
      const bytes = Buffer.from(array);
      const standard = bytes.toString("base64");
      const wrapped = standard.replaceAll(/(.{20})/g, "$1\r\n");
      for (const text of [standard, standard.replace(/=+$/, ""), bytes.toString("base64url"), wrapped])
        assert.deepEqual(decodeBase64(text, 200), bytes);
    }),
  );
});

test("what is no base64 is not taken for one, and too much is told apart", () => {
  for (const text of ["a", "abcde", "ab=c", "ab!d", "====", "äöü", "abcd===="])
    assert.equal(decodeBase64(text, 100), undefined, text);
  assert.equal(decodeBase64("AAAAAAAA", 5), "too_large");
});

test("characters are counted as people pay for them: code points", () => {
  assert.equal(charsIn("aé漢😀"), 4);
  assert.equal(charsIn(""), 0);
});
