import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileExpression } from "./expression.ts";
import { isNothing, keptParts, partsRead } from "./kept-parts.ts";
import type { EndpointFault } from "./place.ts";
import { anyData, anyExpression } from "./random-expressions.test-support.ts";
import { parsePath } from "./value-path.ts";
import type { ValuePath } from "./value-path.ts";

function kept(value: unknown, ...paths: readonly string[]): unknown {
  const parsed = paths.map((path) => parsePath(path)).filter((path): path is ValuePath => path !== undefined);
  assert.equal(parsed.length, paths.length);
  return keptParts(value, partsRead(parsed, "v"));
}

const value = {
  id: "1",
  base64: "x".repeat(100),
  items: [{ url: "a", blob: "x" }, { url: "b", blob: "x" }, "text"],
  one: { url: "c", blob: "x" },
};

test("only what is read is kept, and places in lists stay what they were", () => {
  assert.deepEqual(kept(value, ".v.id", ".v.none", ".w.base64"), { id: "1" });
  assert.deepEqual(kept(value, ".v.items[*].url"), { items: [{ url: "a" }, { url: "b" }, null] });
  assert.deepEqual(kept(value, ".v.items[1].url"), { items: [null, { url: "b" }] });
  assert.deepEqual(kept(value, ".v.items[2]", ".v.items[0].url"), { items: [{ url: "a" }, null, "text"] });
  assert.deepEqual(kept(value, ".v.items[*].url", ".v.items[0].blob"), {
    items: [{ url: "a", blob: "x" }, { url: "b" }, null],
  });
  assert.deepEqual(kept(value, ".v.one[*].url"), { one: { url: "c" } }, "one that may be taken for a list");
  assert.equal(kept(value, ".v"), value);
  assert.equal(kept("text", ".v.a"), undefined);
  assert.equal(kept("text", ".v[*]"), "text");
  assert.ok(isNothing(partsRead([], "v")) && !isNothing(partsRead([["v"]], "v")));
});

test("whatever an expression reads, it finds the same in what is kept for it, and again in what is kept of that", () => {
  let compared = 0;
  fc.assert(
    fc.property(anyExpression(["v"]), anyData, (expression, v) => {
      const faults: EndpointFault[] = [];
      const { evaluate, reads } = compileExpression(expression, { path: "", roots: new Set(["v"]), faults });
      if (faults.length > 0) return;
      compared += 1;
      const parts = partsRead(reads, "v");
      const once: unknown = JSON.parse(JSON.stringify(keptParts(v, parts) ?? null));
      const expected = JSON.stringify(evaluate({ v }) ?? null);
      assert.equal(JSON.stringify(evaluate({ v: once }) ?? null), expected);
      assert.equal(JSON.stringify(evaluate({ v: keptParts(once, parts) ?? null }) ?? null), expected);
      assert.ok(JSON.stringify(once).length <= JSON.stringify(v).length + 100);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(compared > 1_000, `only ${compared} expressions were right`);
});
