import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expression } from "../../core/endpoint.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { compileExpression } from "./expression.ts";
import type { EndpointFault } from "./place.ts";
import { writtenPath } from "./value-path.ts";

const roots = new Set(["v", "w", "headers"]);

function valueOf(expression: Expression, scope: JsonObject): unknown {
  const faults: EndpointFault[] = [];
  const { evaluate } = compileExpression(expression, { path: "here", roots, faults });
  assert.deepEqual(faults, []);
  return evaluate(scope);
}

function faultsOf(expression: Expression): readonly string[] {
  const faults: EndpointFault[] = [];
  compileExpression(expression, { path: "here", roots, faults });
  return faults.map(({ path, message }) => `${path}: ${message}`);
}

function readsOf(expression: Expression): readonly string[] {
  const { reads } = compileExpression(expression, { path: "here", roots, faults: [] });
  return [...new Set(reads.map(writtenPath))].sort();
}

test("a text that begins with $. is a path, everything else stands for itself", () => {
  const scope = { v: { a: [1, { b: "x" }], "odd name": { "1": true } } };
  assert.equal(valueOf("$.v.a[1].b", scope), "x");
  assert.equal(valueOf("$.v['odd name'][\"1\"]", scope), true);
  assert.equal(valueOf("$.v['odd name'].1", scope), true);
  assert.deepEqual(valueOf("$.v", scope), scope.v);
  for (const plain of ["$", "$5", "v.a", "", " $.v", 0, false, null]) {
    assert.equal(valueOf(plain, scope), plain);
  }
  assert.deepEqual(valueOf({ a: ["x", 1], b: {} }, scope), { a: ["x", 1], b: {} });
});

test("names with dashes need no quotes, names with dots do", () => {
  const scope = { headers: { "character-cost": "6", "x.y": "z" } };
  assert.equal(valueOf("$.headers.character-cost", scope), "6");
  assert.equal(valueOf("$.headers['character-cost']", scope), "6");
  assert.equal(valueOf('$.headers["x.y"]', scope), "z");
});

test("[*] is a flat list of what is found, without what is missing", () => {
  const scope = { v: [{ a: 1, c: [{ d: 1 }, { d: 2 }] }, { a: null }, {}, 5, { a: 4, c: [{ d: 3 }, 7] }] };
  assert.deepEqual(valueOf("$.v[*].a", scope), [1, 4]);
  assert.deepEqual(valueOf("$.v[*].c[*].d", scope), [1, 2, 3]);
  assert.deepEqual(valueOf("$.v[*].c[0].d", scope), [1, 3]);
  assert.deepEqual(valueOf("$.v[*]", { v: [] }), []);
  for (const v of [undefined, null, {}, "text", 3]) assert.equal(valueOf("$.v[*].a", { v }), undefined);
});

test("what is missing or null is left out of objects, lists and nothing else", () => {
  const expression = { a: "$.v.none", b: null, c: ["$.v.none", null, 1], d: { e: "$.w" }, f: "$.v.nothing" };
  assert.deepEqual(valueOf(expression, { v: { nothing: null } }), { c: [1], d: {} });
  assert.deepEqual(
    valueOf({ v: "$.v" }, { v: { kept: null } }),
    { v: { kept: null } },
    "data stays as it is",
  );
});

test("only own members are found: no prototype, no length, no character of a text", () => {
  const scope = { v: { list: [1], text: "abc" } };
  for (const path of [
    "$.v.constructor",
    "$.v.__proto__",
    "$.v.toString",
    "$.v.list.length",
    "$.v.list.map",
    "$.v.text.length",
    "$.v.text[0]",
    "$.v.list['0']",
    "$.v[0]",
    "$.v.list[7]",
  ]) {
    assert.equal(valueOf(path, scope), undefined, path);
  }
  const own: unknown = JSON.parse('{"__proto__": {"a": 1}}');
  assert.equal(valueOf("$.v.__proto__.a", { v: own }), 1, "an own member of that name is one like others");
  assert.equal(
    JSON.stringify(valueOf({ $merge: ["$.v", { b: 2 }] }, { v: own })),
    '{"__proto__":{"a":1},"b":2}',
  );
});

test("faults are told all at once, each with its place", () => {
  assert.deepEqual(
    faultsOf({
      a: "$.x.y",
      b: [1, { $nope: 1 }],
      c: { $if: [true] },
      d: { $eq: ["$.v", []] },
      "e.f": "$.v[",
      g: { $len: 1, more: 2 },
      h: { $map: { from: "$.v", as: "v", to: 1 } },
      i: { $map: { from: "$.v", as: "item", to: { $tpl: "{item.a} {other} {" } } },
      j: { $file: { url: "$.v" } },
      k: { $pick: { from: "$.v", members: "a" } },
    }),
    [
      'here.a: "x" is not known here; known are v, w, headers',
      "here.b[1]: there is no operator $nope",
      "here.c.$if: want a list of 2 to 3",
      "here.d.$eq: lists and objects cannot be compared; compare their $len",
      'here.e.f: "$.v[" is no path; as a text it is written {"$literal": …}',
      "here.g: an operator stands alone, but $len has members beside it",
      "here.h.$map.as: the name v is taken",
      "here.i.$map.to.$tpl: a brace stands alone; write it twice to mean itself",
      "here.j.$file: files are marked in outputs only",
      "here.k.$pick.members: want a list of names",
    ],
  );
  let deep: Expression = 1;
  for (let level = 0; level < 10_000; level++) deep = [deep];
  assert.match(faultsOf(deep).join(), /nested too deep/);
});

test("what an expression may read is known: items of a list by the members that are read of them", () => {
  assert.deepEqual(readsOf({ a: "$.v.a", b: { $default: ["$.v.b[0]", { $tpl: "{w.c}" }] } }), [
    "v.a",
    "v.b[0]",
    "w.c",
  ]);
  const map = (to: Expression, from: Expression = "$.v.list"): Expression => ({
    $map: { from, as: "i", to },
  });
  assert.deepEqual(readsOf(map({ x: "$.i.a.b", y: "$.i.c" })), ["v.list[*].a.b", "v.list[*].c"]);
  assert.deepEqual(readsOf(map("$.i.a", { $array: "$.v.one" })), ["v.one[*].a"]);
  assert.deepEqual(readsOf(map("$.i")), ["v.list[*]"]);
  assert.deepEqual(readsOf(map(1)), ["v.list"], "they are counted all the same");
  assert.deepEqual(readsOf(map("$.i.a", { $concat: ["$.v.x", "$.w"] })), ["v.x", "w"]);
  const inner: Expression = { $map: { from: "$.i.more", as: "j", to: { p: "$.j.q", r: "$.i.s" } } };
  assert.deepEqual(readsOf(map(inner)), ["v.list[*].more[*].q", "v.list[*].s"]);
});

test("data of any size and depth is evaluated in time that grows with it", () => {
  let deep: unknown = "bottom";
  for (let level = 0; level < 200_000; level++) deep = { a: deep };
  const wide = Array.from({ length: 200_000 }, (_, index) => ({ a: { b: index }, c: "x" }));
  const scope = { v: wide, w: deep };
  const began = process.hrtime.bigint();
  assert.equal(valueOf({ $len: "$.v[*].a.b" }, scope), 200_000);
  assert.equal(valueOf({ $add: { $map: { from: "$.v", as: "i", to: "$.i.a.b" } } }, scope), 19_999_900_000);
  assert.equal(valueOf({ $json: "$.w" }, scope), undefined, "too deep for JSON text");
  assert.equal(valueOf({ $eq: ["$.w", "$.w"] }, scope), false);
  assert.deepEqual(Object.keys(Object(valueOf({ $merge: ["$.w", { b: 1 }] }, scope))), ["a", "b"]);
  assert.ok(process.hrtime.bigint() - began < 10_000_000_000n);
});
