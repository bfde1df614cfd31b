import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { Problem } from "../core/problems.ts";
import { bounds, checked, parseJsonObject } from "./parse-json.ts";

function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function refusal(text: string): Problem {
  const problem = problemOf(() => parseJsonObject(Buffer.from(text)));
  assert.equal(problem.code, "invalid_json");
  return problem;
}

test("an object comes with the text of each member as it was sent", () => {
  const { value, raw } = parseJsonObject(
    Buffer.from(' { "a" : 1.0 , "\\u0062" : [ 1, {"c": 2} ], "d":"\\ud800" } '),
  );
  assert.deepEqual(value, { a: 1, b: [1, { c: 2 }], d: "\ud800" });
  assert.deepEqual(
    [...raw],
    [
      ["a", "1.0"],
      ["b", '[ 1, {"c": 2} ]'],
      ["d", '"\\ud800"'],
    ],
  );
});

test("every object that JSON.stringify writes is read as it was, unless a bound forbids it", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (object) => {
      const text = JSON.stringify(object);
      const { value, raw } = parseJsonObject(Buffer.from(text));
      assert.deepEqual(value, JSON.parse(text));
      assert.deepEqual([...raw.keys()].toSorted(), Object.keys(object).toSorted());
    }),
  );
});

test("what is not an object is refused without quoting it", () => {
  for (const text of [
    "",
    " \n",
    "null",
    "5",
    '"secret"',
    "[]",
    "{",
    "{secret}",
    '{"a":1}x',
    '{"a":1,}',
    "\uFEFF{}",
  ])
    assert.doesNotMatch(refusal(text).message, /secret|position|token/i, text);
});

test("a member that occurs twice at the top is refused by its name, cut short", () => {
  assert.equal(refusal('{"a":1,"\\u0061":2}').param, "a");
  const long = "x".repeat(5_000);
  assert.equal(refusal(`{"${long}":1,"${long}":2}`).param, long.slice(0, 64));
});

test("depth, values and members are bounded, each with its own words", () => {
  const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  parseJsonObject(Buffer.from(nested(bounds.maxDepth)));
  assert.match(refusal(nested(bounds.maxDepth + 1)).message, /deeper than 64/);
  assert.match(refusal(`{"a":[${"1,".repeat(bounds.maxNodes)}1]}`).message, /values/);
  const members = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}":1`).join();
  parseJsonObject(Buffer.from(`{${members(1_000)}}`));
  assert.match(refusal(`{${members(1_001)}}`).message, /members/);
});

const schema = z.looseObject({
  name: z.string(),
  either: z.union([z.string(), z.array(z.looseObject({ text: z.string() }))]).optional(),
  table: z.record(z.string(), z.number()).optional(),
});

test("a faulty member is named by its path", () => {
  const cases = [
    [{}, "name"],
    [{ name: 5 }, "name"],
    [{ name: "x", either: [{ text: "a" }, { text: 5 }] }, "either[1].text"],
    [{ name: "x", either: 5 }, "either"],
    [{ name: "x", table: { ["y".repeat(500)]: "z" } }, `table.${"y".repeat(64)}`],
    [[], ""],
  ] as const;
  for (const [value, param] of cases) {
    const problem = problemOf(() => checked(schema, value));
    assert.deepEqual([problem.code, problem.param], ["invalid_request", param]);
  }
  const inner = problemOf(() => checked(schema, { name: 5 }, ["messages", 3]));
  assert.equal(inner.param, "messages[3].name");
});

test("a member named __proto__ gives the checked value no members", () => {
  const { value } = parseJsonObject(Buffer.from('{"name":"x","__proto__":{"table":{"a":1},"evil":1}}'));
  const read = checked(schema, value);
  assert.equal(read.table, undefined);
  assert.equal(read["evil"], undefined);
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
});
