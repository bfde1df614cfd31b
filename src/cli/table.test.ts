import assert from "node:assert/strict";
import { test } from "node:test";
import { readableCount, readableCredits, readableTime } from "./readable.ts";
import { table } from "./table.ts";
import { harmless } from "./terminal-text.ts";

test("Columns are aligned, wide characters and combining marks included, without spaces at the end.", () => {
  const rows = [
    ["ada", "1.00", "x"],
    ["李明", "12.00", "y"],
    ["e\u0301va", "3.00", ""],
  ];
  const text = table([{ title: "Name" }, { title: "Credits", align: "right" }, { title: "More" }], rows);
  assert.equal(text, "Name  Credits  More\nada      1.00  x\n李明    12.00  y\ne\u0301va      3.00\n");
});

test("A value with line feeds or terminal codes stays one harmless line.", () => {
  const text = table([{ title: "Name" }], [["a\nb\u001b[2Jc\u009b"]]);
  assert.equal(text, "Name\na b\u{fffd}[2Jc\u{fffd}\n");
  assert.equal(harmless("line\n\ttab\r\u0007"), "line\n\ttab\u{fffd}\u{fffd}");
});

test("Credits are shown exactly, with at least two decimals and grouped thousands.", () => {
  const shown = ["0.000001", "1523.450000", "1000000000.000000", "12.500000", "999.999142"].map(
    readableCredits,
  );
  assert.deepEqual(shown, ["0.000001", "1,523.45", "1,000,000,000.00", "12.50", "999.999142"]);
  assert.equal(readableCount(1_234_567), "1,234,567");
});

test("Times are shown to the second.", () => {
  assert.equal(readableTime("2026-11-24T03:41:07.123Z"), "2026-11-24 03:41:07");
});
