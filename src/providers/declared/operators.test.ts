import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Expression } from "../../core/endpoint.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { compileExpression } from "./expression.ts";
import { operators } from "./operators.ts";
import type { EndpointFault } from "./place.ts";

const v = {
  zero: 0,
  no: false,
  empty: "",
  nothing: null,
  five: 5,
  text: "Grüße 👋",
  list: [3, 1, 2],
  names: ["a", "b"],
  object: { a: 1, b: null, c: "x" },
  items: [
    { id: 1, ok: true },
    { id: 2, ok: false },
    { id: 3, ok: true, name: "three" },
  ],
};

const seen = new Set<string>();

function valueOf(expression: Expression, scope: JsonObject = { v }): unknown {
  const faults: EndpointFault[] = [];
  const { evaluate } = compileExpression(expression, { path: "here", roots: new Set(["v"]), faults });
  assert.deepEqual(faults, [], JSON.stringify(expression));
  return evaluate(scope);
}

/** Expression and value, pair after pair. */
function check(cases: readonly (readonly [Expression, unknown])[]): void {
  for (const [expression, expected] of cases) {
    assert.deepEqual(valueOf(expression), expected, JSON.stringify(expression));
    for (const [name] of JSON.stringify(expression).matchAll(/\$[a-z0-9]+/g)) seen.add(name);
  }
}

test("choosing: $default $if $enum $literal", () => {
  check([
    [{ $default: ["$.v.none", "$.v.nothing", "$.v.zero", 7] }, 0],
    [{ $default: ["$.v.none", "$.v.empty"] }, ""],
    [{ $default: ["$.v.none"] }, undefined],
    [{ $if: ["$.v.five", "yes", "no"] }, "yes"],
    [{ $if: ["$.v.zero", "yes", "no"] }, "no"],
    [{ $if: ["$.v.empty", "yes"] }, undefined],
    [{ $if: ["$.v.list", "yes", "no"] }, "yes"],
    [{ $enum: { of: "$.v.five", table: { "5": "five" }, else: "other" } }, "five"],
    [{ $enum: { of: "constructor", table: { a: 1 }, else: "other" } }, "other"],
    [{ $enum: { of: "$.v.none", table: { "": 1, undefined: 2 } } }, undefined],
    [{ $enum: { of: "a", table: { a: { $mul: ["$.v.five", 2] } } } }, 10],
    [{ $literal: { $if: "$.v.five" } }, { $if: "$.v.five" }],
    [{ $literal: "$.v.five" }, "$.v.five"],
  ]);
});

test("comparing: $eq $ne $gt $in $not $and $or", () => {
  check([
    [{ $eq: ["$.v.five", 5] }, true],
    [{ $eq: ["$.v.five", "5"] }, false],
    [{ $eq: ["$.v.none", "$.v.nothing"] }, true],
    [{ $eq: ["$.v.none", null] }, true],
    [{ $eq: ["$.v.list", "$.v.list"] }, false],
    [{ $eq: [{ $len: "$.v.list" }, 3] }, true],
    [{ $ne: ["$.v.zero", false] }, true],
    [{ $gt: ["$.v.five", 4] }, true],
    [{ $gt: ["$.v.five", 5] }, false],
    [{ $gt: ["$.v.none", 4] }, false],
    [{ $gt: ["b", "a"] }, false],
    [{ $in: ["$.v.five", [1, 5]] }, true],
    [{ $in: ["a", "$.v.names"] }, true],
    [{ $in: ["$.v.none", ["a", null]] }, false],
    [{ $in: ["a", "$.v.none"] }, false],
    [{ $not: "$.v.zero" }, true],
    [{ $not: "$.v.names" }, false],
    [{ $and: ["$.v.five", true] }, true],
    [{ $and: ["$.v.five", "$.v.empty"] }, false],
    [{ $and: [] }, true],
    [{ $or: ["$.v.zero", "$.v.five"] }, true],
    [{ $or: ["$.v.items[*].ok"] }, true],
    [{ $or: [] }, false],
    [{ $and: "$.v.items[*].ok" }, false],
  ]);
});

test("reckoning: what is no number makes the result missing, never zero", () => {
  check([
    [{ $add: [1, "$.v.five"] }, 6],
    [{ $add: "$.v.list" }, 6],
    [{ $add: [1, "2"] }, undefined],
    [{ $add: [1, "$.v.none"] }, undefined],
    [{ $add: [] }, 0],
    [{ $sub: ["$.v.five", 7] }, -2],
    [{ $mul: [2, 3, "$.v.five"] }, 30],
    [{ $mul: [1e200, 1e200] }, undefined],
    [{ $div: ["$.v.five", 2] }, 2.5],
    [{ $div: ["$.v.five", 0] }, undefined],
    [{ $div: [0, 0] }, undefined],
    [{ $ceil: 2.1 }, 3],
    [{ $ceil: "2.1" }, undefined],
    [{ $max: "$.v.list" }, 3],
    [{ $max: [] }, undefined],
    [{ $max: [1, "$.v.none"] }, undefined],
    [{ $min: [4, "$.v.five"] }, 4],
    [{ $num: "5s" }, 5],
    [{ $num: " 1.5e2 credits" }, 150],
    [{ $num: "-.5" }, -0.5],
    [{ $num: "$.v.five" }, 5],
    [{ $num: "abc" }, undefined],
    [{ $num: "1e999" }, undefined],
    [{ $num: true }, undefined],
    [{ $num: "9".repeat(100_000) }, 1e64],
    [{ $len: "$.v.text" }, 7],
    [{ $len: "$.v.list" }, 3],
    [{ $len: "$.v.object" }, 3],
    [{ $len: "$.v.none" }, undefined],
    [{ $len: 5 }, undefined],
    [{ $bytes: "$.v.text" }, 12],
    [{ $bytes: "$.v.list" }, undefined],
    [{ $seconds: "00:01:05" }, 65],
    [{ $seconds: "1:05.5" }, 65.5],
    [{ $seconds: "PT1M5S" }, 65],
    [{ $seconds: "P1DT1H" }, 90_000],
    [{ $seconds: "8s" }, 8],
    [{ $seconds: "8.25" }, 8.25],
    [{ $seconds: 8 }, 8],
    [{ $seconds: "5 minutes" }, undefined],
    [{ $seconds: "PT" }, undefined],
    [{ $seconds: "" }, undefined],
  ]);
});

test("texts: $str $tpl $join $split $lower $json $parse", () => {
  check([
    [{ $str: "$.v.five" }, "5"],
    [{ $str: true }, "true"],
    [{ $str: "$.v.list" }, undefined],
    [{ $tpl: "n={v.five}, {{v.five}} {v.items[2].name}" }, "n=5, {v.five} three"],
    [{ $tpl: "n={v.none}" }, undefined],
    [{ $tpl: "plain" }, "plain"],
    [{ $join: ["$.v.names", ", "] }, "a, b"],
    [{ $join: [["x", "$.v.none", "$.v.five"], "-"] }, "x-5"],
    [{ $join: ["$.v.none", ","] }, undefined],
    [{ $join: [[], ","] }, ""],
    [{ $split: ["a,b,,c", ","] }, ["a", "b", "", "c"]],
    [{ $split: ["abc", ""] }, undefined],
    [{ $split: ["$.v.five", ","] }, undefined],
    [{ $lower: "ÄB" }, "äb"],
    [{ $json: "$.v.object" }, '{"a":1,"b":null,"c":"x"}'],
    [{ $json: "$.v.none" }, undefined],
    [{ $parse: '{"a":[1]}' }, { a: [1] }],
    [{ $parse: "{" }, undefined],
    [{ $parse: "$.v.five" }, undefined],
    [{ $parse: "[".repeat(5_000) + "]".repeat(5_000) }, undefined],
  ]);
});

test("lists: $array $concat $first $map", () => {
  check([
    [{ $array: "$.v.five" }, [5]],
    [{ $array: "$.v.list" }, [3, 1, 2]],
    [{ $array: "$.v.none" }, []],
    [{ $concat: ["$.v.names", "$.v.none", "$.v.five", [["c"]]] }, ["a", "b", 5, ["c"]]],
    [{ $first: "$.v.list" }, 3],
    [{ $first: "$.v.five" }, 5],
    [{ $first: [] }, undefined],
    [
      { $map: { from: "$.v.items", as: "i", to: { n: "$.i.name", five: "$.v.five" } } },
      [{ five: 5 }, { five: 5 }, { n: "three", five: 5 }],
    ],
    [{ $map: { from: "$.v.items", as: "i", to: "$.i.id", when: "$.i.ok" } }, [1, 3]],
    [{ $map: { from: "$.v.items", as: "i", to: "$.i.name" } }, ["three"]],
    [
      { $map: { from: "$.v.items", as: "i", at: "n", to: ["$.n", "$.i.id"], when: "$.i.ok" } },
      [
        [0, 1],
        [2, 3],
      ],
    ],
    [{ $map: { from: "$.v.none", as: "i", to: "$.i" } }, undefined],
    [{ $map: { from: "$.v.five", as: "i", to: "$.i" } }, undefined],
    [{ $map: { from: { $array: "$.v.five" }, as: "i", to: { $add: ["$.i", 1] } } }, [6]],
  ]);
});

test("objects: $merge $pick $omit $entries", () => {
  check([
    [{ $merge: ["$.v.object", { b: 2, c: "y" }, "$.v.none", { c: "$.v.none" }] }, { a: 1, c: "y", b: 2 }],
    [{ $merge: [{ a: 0 }, { a: "$.v.nothing" }] }, { a: 0 }],
    [{ $pick: { from: "$.v.object", members: ["c", "a", "z", "toString"] } }, { a: 1, c: "x" }],
    [{ $omit: { from: "$.v.object", members: ["a"] } }, { c: "x" }],
    [{ $omit: { from: "$.v.none", members: ["a"] } }, undefined],
    [
      { $entries: { a: 1, b: "x" } },
      [
        { key: "a", value: 1 },
        { key: "b", value: "x" },
      ],
    ],
    [{ $entries: "$.v.list" }, undefined],
  ]);
});

test("encodings: $hex $dataurl $base64of $mimeof", () => {
  check([
    [{ $hex: "48656C6c6f" }, "SGVsbG8="],
    [{ $hex: "abc" }, undefined],
    [{ $hex: "zz" }, undefined],
    [{ $hex: 12 }, undefined],
    [{ $dataurl: { base64: "aGk=", mime: "text/plain" } }, "data:text/plain;base64,aGk="],
    [{ $dataurl: { url: "https://e.example/a.png", base64: "aGk=" } }, "https://e.example/a.png"],
    [{ $dataurl: { url: "$.v.none", base64: "$.v.none" } }, undefined],
    [{ $dataurl: { base64: "aGk=" } }, "data:application/octet-stream;base64,aGk="],
    [{ $base64of: "data:image/png;base64,aGk=" }, "aGk="],
    [{ $base64of: "data:,hi%20you" }, "aGkgeW91"],
    [{ $base64of: "https://e.example" }, undefined],
    [{ $base64of: "Data: 5, 6" }, undefined],
    [{ $base64of: `data:${";a".repeat(10_000_000)},hi` }, undefined],
    [{ $mimeof: "DATA:Image/PNG;base64,aGk=" }, "image/png"],
    [{ $mimeof: "aGk=" }, undefined],
  ]);
});

test("sounds: $playtime", () => {
  const recorded = ["cbr.mp3", "opus.ogg", "streamed.flac", "streamed.wav"].map((name) =>
    readFileSync(join(import.meta.dirname, "../../core/sound/samples", name), "base64"),
  );
  const lengths = recorded.map((sound) => valueOf({ $playtime: sound }));
  for (const seconds of lengths) assert.ok(typeof seconds === "number" && Math.abs(seconds - 1.234) < 0.002);
  // Five frames of AAC at 24 kHz, and what is no frame.
  const frame = Buffer.from([0xff, 0xf1, 0x58, 0x40, 0x01, 0x1f, 0xfc, 0x21]);
  const aac = Buffer.concat([...Array.from({ length: 5 }, () => frame), Buffer.from("TAG")]);
  check([
    [{ $playtime: aac.toString("base64") }, 0.213],
    [{ $playtime: Buffer.alloc(48_000).toString("base64") }, undefined],
    [{ $playtime: "$.v.none" }, undefined],
  ]);
});

test("every operator but the marks is among these cases", () => {
  const untested = [...operators.keys()].filter((name) => !seen.has(name));
  assert.deepEqual(untested.sort(), ["$file", "$upload"]);
});
