import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { creditsAsJsonNumber, formatCredits, parseCredits } from "./credits.ts";

const amounts = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n });

test("what is formatted reads back as the same amount", () => {
  fc.assert(fc.property(amounts, (amount) => assert.equal(parseCredits(formatCredits(amount)), amount)));
});

test("a JSON number of credits is the shortest exact decimal", () => {
  assert.equal(creditsAsJsonNumber(1_523_450_000n), "1523.45");
  assert.equal(creditsAsJsonNumber(10_000_000n), "10");
  assert.equal(creditsAsJsonNumber(0n), "0");
  assert.equal(creditsAsJsonNumber(1n), "0.000001");
  assert.equal(creditsAsJsonNumber(100_000_000_000_000n), "100000000");
});

test("C-01 no amount ever shows the tail of a binary float", () => {
  fc.assert(
    fc.property(amounts, (amount) => assert.doesNotMatch(creditsAsJsonNumber(amount), /\d\.\d{7,}|e/i)),
  );
});

test("only plain decimals with at most six places are amounts", () => {
  for (const text of ["", "-1", "+1", "1e3", "1.0000001", "0x10", " 1", "1,5", "٣"])
    assert.equal(parseCredits(text), undefined, text);
  assert.equal(parseCredits("25.00"), 25_000_000n);
});
