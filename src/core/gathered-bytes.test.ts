import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { heldBytes } from "../../tests/support/held-bytes.ts";
import { GatheredBytes } from "./gathered-bytes.ts";

test("the whole is what came, whatever the sizes of the pieces", () => {
  const sizes = fc.array(fc.oneof(fc.nat(3), fc.constantFrom(4_095, 4_096, 4_097, 70_000)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(sizes, fc.nat(600), (some, manySmall) => {
      const gathered = new GatheredBytes();
      const pieces = [...some, ...Array.from({ length: manySmall }, () => 1), ...some].map((size, at) =>
        Buffer.alloc(size, at),
      );
      for (const piece of pieces) gathered.add(piece);
      const wanted = Buffer.concat(pieces);
      assert.equal(gathered.sizeBytes, wanted.length);
      assert.ok(gathered.whole().equals(wanted));
    }),
    { numRuns: 100 },
  );
});

test("a single piece is not copied", () => {
  const gathered = new GatheredBytes();
  const piece = Buffer.alloc(10);
  gathered.add(piece);
  assert.equal(gathered.whole(), piece);
});

test("bytes that come one by one take no more than thrice their size in memory", () => {
  const begun = heldBytes();
  const gathered = new GatheredBytes();
  // With memory of its own, as node:http hands out what it parsed.
  for (let at = 0; at < 300_000; at += 1) gathered.add(Buffer.from(new ArrayBuffer(1)));
  const grownBytes = heldBytes() - begun;
  assert.equal(gathered.whole().length, 300_000);
  assert.ok(grownBytes < 900_000, `${grownBytes} bytes are held`);
});

test("large pieces among small ones do not let the small ones add up", () => {
  const begun = heldBytes();
  const gathered = new GatheredBytes();
  for (let round = 0; round < 200; round += 1) {
    for (let at = 0; at < 255; at += 1) gathered.add(Buffer.from(new ArrayBuffer(1)));
    gathered.add(Buffer.alloc(4_096));
  }
  const grownBytes = heldBytes() - begun;
  assert.ok(grownBytes < 2 * gathered.sizeBytes, `${grownBytes} bytes are held`);
});
