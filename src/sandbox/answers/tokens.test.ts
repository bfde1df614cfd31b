import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { cutTo, loadTokenizer, textOf, tokensIn } from "./tokens.ts";
import type { Tokenizer } from "./tokens.ts";

let tokenizer: Tokenizer;
before(async () => {
  tokenizer = await loadTokenizer();
});

test("pieces join to the text and count what it counts, for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 600 }), (text) => {
      const pieces = tokenizer.pieces(text);
      assert.equal(textOf(pieces), text);
      assert.equal(tokensIn(pieces), tokenizer.count(text));
    }),
  );
});

test("a text without long runs counts what the plain encoding counts", async () => {
  const text = "Ein Satz, 東京 and some more words. ".repeat(20_000);
  assert.equal(await tokenizer.countAll([text]), countTokens(text));
});

test("a cut is at exactly the wanted number of tokens", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 20, maxLength: 200 }), fc.nat(15), (text, limit) => {
      const pieces = tokenizer.pieces(text);
      fc.pre(tokensIn(pieces) >= limit);
      assert.equal(tokensIn(cutTo(pieces, limit)), limit);
    }),
  );
});

test("runs without a bound are counted in bounded time", () => {
  const started = performance.now();
  for (const character of ["a", " ", "\n", "!", "é", "字", "🙂"]) tokenizer.count(character.repeat(100_000));
  assert.ok(performance.now() - started < 3_000);
});

test("the name of a special token is text", () => {
  assert.ok(tokenizer.count("<|endoftext|>") > 1);
});
