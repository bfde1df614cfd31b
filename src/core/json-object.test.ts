import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson, scanJsonObject, writeJsonObject } from "./json-object.ts";
import type { ScannedObject } from "./json-object.ts";

const wide = { maxDepth: 1_000, maxNodes: 1_000_000 };

function scanned(text: string): ScannedObject {
  const result = scanJsonObject(text, wide);
  assert.equal(result.fault, undefined, `fault ${result.fault} in ${text}`);
  return result;
}

function faultIn(text: string, bounds = wide): string {
  const result = scanJsonObject(text, bounds);
  return result.fault === undefined
    ? "none"
    : `${result.fault}${result.key === undefined ? "" : ` ${result.key}`}`;
}

/** Own entries as an array, because a key may be `__proto__` and integer-like keys change their order. */
function parsedEntries(text: string): readonly (readonly [string, unknown])[] {
  return Object.entries(JSON.parse(text) as Record<string, unknown>).sort(byKey);
}

function byKey(one: readonly [string, unknown], other: readonly [string, unknown]): number {
  return one[0] < other[0] ? -1 : Number(one[0] > other[0]);
}

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "\n", "a", "\ud83d", "\udc7d", "é"),
  }),
);
/** A member named "\\" makes V8 misread later names that begin with an escape: see `parseJson`. */
const anyKey = fc
  .oneof(anyText, fc.constantFrom("model", "__proto__", "constructor", "", "0", "\ud800"))
  .filter((key) => key !== "\\");
const memberNamedBackslash = /"(?:\\\\|\\u005c)"\s*:/i;
const anyJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    anyText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyKey, tie("value"), { maxKeys: 4 }),
  ),
})).value;
const anySpace = fc.string({ unit: fc.constantFrom(" ", "\n", "\r", "\t"), maxLength: 3 });

/** One random spelling of a string: some characters as \u escapes. */
function spell(text: string, escapeEvery: number): string {
  const units = text.split("").map((unit, index) => {
    const mustEscape = unit < " " || unit === '"' || unit === "\\";
    if (!mustEscape && (escapeEvery === 0 || index % escapeEvery !== 0)) return unit;
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${units.join("")}"`;
}

test("I-03 finds the same members as JSON.parse in any document", () => {
  const members = fc.uniqueArray(fc.tuple(anyKey, anyJson, anySpace, anySpace, fc.nat(3), fc.nat(2)), {
    selector: ([key]) => key,
    maxLength: 6,
  });
  fc.assert(
    fc.property(members, anySpace, (list, space) => {
      const body = list.map(([key, value, before, after, escapeEvery, indent]) => {
        return `${before}${spell(key, escapeEvery)}${after}:${before}${JSON.stringify(value, null, indent)}${after}`;
      });
      const text = `${space}{${body.join(",")}${space}}${space}`;
      const { members: found } = scanned(text);
      assert.deepEqual(
        [...found.keys()],
        list.map(([key]) => key),
      );
      const entries = [...found].map(([key, slice]) => [key, JSON.parse(slice) as unknown] as const);
      assert.deepEqual(entries.sort(byKey), parsedEntries(text));
      assert.deepEqual(parsedEntries(writeJsonObject(found)), parsedEntries(text));
    }),
    { numRuns: 500 },
  );
});

test("I-03 accepts every mutilated document that JSON.parse takes, with the same members", () => {
  const cut = fc.tuple(fc.dictionary(anyKey, anyJson), fc.nat(), fc.nat(3), anyText);
  fc.assert(
    fc.property(cut, ([document, position, removed, inserted]) => {
      const whole = JSON.stringify(document);
      const at = position % whole.length;
      const text = whole.slice(0, at) + inserted + whole.slice(at + removed);
      if (memberNamedBackslash.test(text)) return;
      const result = scanJsonObject(text, wide);
      let expected: readonly (readonly [string, unknown])[];
      try {
        expected = parsedEntries(text);
      } catch {
        return;
      }
      if (result.fault === "duplicate" || !text.trimStart().startsWith("{")) return;
      assert.equal(result.fault, undefined);
      assert.deepEqual(
        [...result.members].map(([key, slice]) => [key, JSON.parse(slice) as unknown] as const).sort(byKey),
        expected,
      );
    }),
    { numRuns: 2_000 },
  );
});

test("terminates on any garbage without throwing", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      scanJsonObject(text, wide);
      scanJsonObject(`{${text}`, wide);
      scanJsonObject(`{"a":${text}}`, wide);
    }),
    { numRuns: 2_000 },
  );
});

test("I-03 a key that occurs twice is named, also when one of the two is spelled with escapes", () => {
  assert.equal(faultIn(`{"model":"cheap","model":"dear"}`), "duplicate model");
  assert.equal(faultIn(`{"model":"cheap","\\u006dodel":"dear"}`), "duplicate model");
  assert.equal(faultIn(`{"__proto__":1,"__proto__":2}`), "duplicate __proto__");
  assert.equal(faultIn(`{"model":1,"Model":2,"MODEL":3}`), "none");
  assert.equal(faultIn(`{"a":{"model":1},"model":2,"b":[{"model":1}]}`), "none");
});

test("I-03 slices are what was sent: numbers are not rounded, spaces within values stay", () => {
  const { members } = scanned(
    `{ "max_tokens" : 1e2 ,"big":12345678901234567890,${" ".repeat(5_000)}"o":{"a" : [ 1 ]}\n}`,
  );
  assert.deepEqual(
    [...members],
    [
      ["max_tokens", "1e2"],
      ["big", "12345678901234567890"],
      ["o", `{"a" : [ 1 ]}`],
    ],
  );
});

test("only a whole object is one", () => {
  for (const text of ["", "null", "[]", `"x"`, "\ufeff{}", "1", "<html>"])
    assert.equal(faultIn(text), "not_object");
  const malformed = [
    `{`,
    `{"a"}`,
    `{"a":}`,
    `{"a":1`,
    `{"a":1,}`,
    `{"a":"`,
    `{"a":"\\"}`,
    `{} x`,
    `{}{}`,
    `{a:1}`,
    `{"\\x":1}`,
  ];
  for (const text of malformed) assert.equal(faultIn(text), "malformed", text);
  assert.equal(faultIn(" {} \n"), "none");
});

test("I-05 depth is bounded exactly, and a million brackets do not overflow the stack", () => {
  const nested = (depth: number): string => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  const bounds = { maxDepth: 64, maxNodes: 10_000_000 };
  assert.equal(faultIn(nested(64), bounds), "none");
  assert.equal(faultIn(nested(65), bounds), "too_deep");
  assert.equal(faultIn(nested(1_000_000), bounds), "too_deep");
  assert.equal(faultIn(nested(1_000_000), { maxDepth: 2_000_000, maxNodes: 10_000_000 }), "none");
  assert.equal(
    faultIn(`{"a":${"[".repeat(1_000_000)}`, { maxDepth: 2_000_000, maxNodes: 10_000_000 }),
    "malformed",
  );
});

test("I-05 nodes are bounded exactly, commas within strings are none", () => {
  const bounds = { maxDepth: 64, maxNodes: 10 };
  assert.equal(faultIn(`{"a":[1,2,3,4,5,6,7,8,9]}`, bounds), "none");
  assert.equal(faultIn(`{"a":[1,2,3,4,5,6,7,8,9,10]}`, bounds), "too_many");
  assert.equal(faultIn(`{"a":"${",[{".repeat(100)}"}`, bounds), "none");
  assert.equal(
    faultIn(`{${Array.from({ length: 11 }, (_, index) => `"${index}":1`).join(",")}}`, bounds),
    "too_many",
  );
});

test("I-03 no document changes how names in later documents are read", () => {
  JSON.parse('{"poison":1,"\\\\":2}');
  const text =
    '{"poison":1,"\\u006e":128,"m":[{"poison":"\\"\\u006e\\":","\\u0072ole" : "\\u006e","\\/":[]}]}';
  const expected = { poison: 1, n: 128, m: [{ poison: '"n":', role: "n", "/": [] }] };
  assert.deepEqual(parseJson(text), expected);
  assert.deepEqual([...scanned(text).members.keys()], Object.keys(expected));
});

test("members are written under their names as JSON.stringify writes them", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.oneof(anyKey, fc.string({ unit: fc.constantFrom("a", "_", "9") }))),
      (keys) => {
        const written = keys.map((key) => `${JSON.stringify(key)}:1`).join(",");
        assert.equal(writeJsonObject(keys.map((key) => [key, "1"])), `{${written}}`);
      },
    ),
  );
});

test("parses what JSON.parse parses, and refuses what it refuses", () => {
  fc.assert(
    fc.property(anyJson, fc.nat(3), anyText, (value, escapeEvery, garbage) => {
      const text = `{${spell("key", escapeEvery)}:${JSON.stringify(value)}}`;
      if (!memberNamedBackslash.test(text))
        assert.deepEqual(parseJson(text), { key: JSON.parse(JSON.stringify(value)) });
      const bad = `${text}"\\u${garbage}`;
      assert.throws(() => parseJson(bad), SyntaxError);
    }),
  );
});
