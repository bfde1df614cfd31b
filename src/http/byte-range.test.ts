import assert from "node:assert/strict";
import { test } from "node:test";
import { byteRangeOf } from "./byte-range.ts";

const size = 1000;

test("a Range names its bytes, cut to those that are there", () => {
  const cases: Readonly<Record<string, readonly [start: number, end: number]>> = {
    "bytes=0-": [0, 999],
    "bytes=0-0": [0, 0],
    "bytes=0-499": [0, 499],
    "bytes=999-": [999, 999],
    "bytes=500-5000": [500, 999],
    "bytes=-1": [999, 999],
    "bytes=-1000": [0, 999],
    "bytes=-5000": [0, 999],
    "BYTES= 1 - 2 ": [1, 2],
    "bytes=0-99999999999999999999999999": [0, 999],
    "bytes=-99999999999999999999999999": [0, 999],
  };
  for (const [header, [start, end]] of Object.entries(cases))
    assert.deepEqual(byteRangeOf(header, size), { start, end }, header);
});

test("a Range of which nothing is there cannot be satisfied", () => {
  for (const header of ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=99999999999999999999-"])
    assert.equal(byteRangeOf(header, size), "unsatisfiable", header);
  for (const header of ["bytes=0-", "bytes=0-0", "bytes=-1"])
    assert.equal(byteRangeOf(header, 0), "unsatisfiable", `${header} of nothing`);
});

test("a Range that is none, and several at once, mean the whole", () => {
  const headers = [
    "",
    "bytes=",
    "bytes=-",
    "bytes=5-4",
    "bytes=a-b",
    "bytes=1-2,5-6",
    "items=0-1",
    "bytes 0-1",
  ];
  for (const header of [...headers, "bytes=0x1-2", "bytes=1.5-2", "bytes=--1", undefined])
    assert.equal(byteRangeOf(header, size), undefined, header);
});
