import assert from "node:assert/strict";
import { test } from "node:test";
import { sizeText } from "./sizes.ts";

test("a bound is told in the largest unit that it is a whole number of", () => {
  const mebibyte = 1024 * 1024;
  const bounds = [20 * mebibyte, 2048 * mebibyte, 64 * 1024, 1500, 0, 1024 * 1500];
  assert.deepEqual(bounds.map(sizeText), ["20 MB", "2 GB", "64 KB", "1500 bytes", "0 bytes", "1500 KB"]);
});
