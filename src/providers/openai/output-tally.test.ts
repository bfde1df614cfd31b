import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputTally } from "./output-tally.ts";

test("S-02 all of an ordinary answer is kept, and its length is that of its text", () => {
  const tally = new OutputTally();
  let text = "";
  for (const piece of ["", "plain ", "naïve 你好 ", "🌍👩‍👩‍👧", "x".repeat(10_000), "é".repeat(300)]) {
    tally.add(piece);
    text += piece;
    assert.equal(tally.characters, text.length);
    assert.equal(tally.text(), text);
  }
});

test("S-02 of an endless answer half a mebibyte is kept, and its length is told in full", () => {
  const tally = new OutputTally();
  for (let count = 0; count < 5_000; count += 1) tally.add("0123456789".repeat(200));
  assert.equal(tally.characters, 10_000_000);
  const kept = tally.text();
  assert.equal(kept.length, 512 * 1024);
  assert.match(kept, /^(0123456789)+01234567$/);
});
