import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject } from "../core/json-object.ts";
import { familyFile, modelsFrom, templateIn } from "./family.ts";

function modelsOf(model: object, rows: readonly object[], more: object = {}): readonly unknown[] {
  const facts = familyFile.parse({ family: "house", model, rows, ...more });
  const template = templateIn(facts, () => undefined);
  assert.ok(typeof template === "object");
  return facts.rows.map(modelsFrom(template));
}

test("a row fills members and texts; what it does not have is left out, from lists as well", () => {
  const model = {
    id: "house/{row.name}",
    limit: { $row: "limit" },
    list: [1, { $row: "more" }, "{row.name} {row.count}"],
    inner: { deep: [{ value: { $row: "tree" } }] },
  };
  const rows = [
    { name: "a", count: 2, limit: 7, more: "x", tree: { b: [1] } },
    { name: "c", count: 3 },
  ];
  assert.deepEqual(modelsOf(model, rows), [
    { id: "house/a", limit: 7, list: [1, "x", "a 2"], inner: { deep: [{ value: { b: [1] } }] } },
    { id: "house/c", list: [1, "c 3"], inner: { deep: [{}] } },
  ]);
});

test("lists within lists keep their form, whether a row fills something in them or not", () => {
  const model = { plain: [["a", ""], "x"], filled: [["{row.name}", ["b"]], []] };
  assert.deepEqual(modelsOf(model, [{ name: "n" }]), [
    { plain: [["a", ""], "x"], filled: [["n", ["b"]], []] },
  ]);
});

test("what holds nothing of a row is one object for all models of the family", () => {
  const [one, other] = modelsOf({ id: "{row.name}", same: { deep: [1] } }, [{ name: "a" }, { name: "b" }]);
  assert.ok(isJsonObject(one) && isJsonObject(other));
  assert.deepEqual([one["id"], other["id"]], ["a", "b"]);
  assert.equal(one["same"], other["same"]);
});

test("a text that names a member which the row does not have is a fault that says so", () => {
  assert.throws(() => modelsOf({ id: "{row.nothing}" }, [{ name: "a" }]), /no text for \{row\.nothing\}/);
  assert.equal(familyFile.safeParse({ family: "house", model: {}, rows: ["a"] }).success, false);
});

test("what a row does not say is the family's default, which may name other members of the row", () => {
  const model = { id: "house/{row.name}", title: "{row.title}", list: { $row: "list" } };
  const defaults = { title: "A {row.name}", list: { deep: ["{row.name}"] } };
  assert.deepEqual(modelsOf(model, [{ name: "a" }, { name: "b", title: "B", list: 1 }], { defaults }), [
    { id: "house/a", title: "A a", list: { deep: ["a"] } },
    { id: "house/b", title: "B", list: 1 },
  ]);
});

test("a family extends another's template and defaults and says parts of them anew; one that is not there is a fault", () => {
  const base = familyFile.parse({
    family: "base",
    model: { id: "base/{row.name}", source: "theirs", kind: { $row: "kind" } },
    defaults: { kind: "run", more: 1 },
    rows: [{ name: "a" }],
  });
  const own = familyFile.parse({
    family: "own",
    extends: "base",
    model: { source: "mine" },
    defaults: { kind: "chat" },
    rows: [{ name: "b" }],
  });
  const find = (name: string) => [base, own].find(({ family }) => family === name);
  const template = templateIn(own, find);
  assert.ok(typeof template === "object");
  assert.deepEqual(own.rows.map(modelsFrom(template)), [{ id: "base/b", source: "mine", kind: "chat" }]);
  assert.equal(templateIn({ ...own, extends: "none" }, find), "there is no family none to extend");
  assert.equal(templateIn({ ...own, family: "x", extends: "own" }, find), "own extends a family itself");
  assert.equal(templateIn({ ...base, model: undefined }, find), "want a model, or the family it extends");
});
