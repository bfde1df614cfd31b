import assert from "node:assert/strict";
import { test } from "node:test";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import { withToldLimits } from "./told-limits.ts";

const asked = {
  type: "object",
  properties: {
    days: { type: "integer", minimum: 1, maximum: 3, description: "How many" },
    code: { type: "string", pattern: '^[A-Z]{2}; "[x, y]"\\}$', minLength: 20 },
    list: { type: "array", minItems: 4, items: { type: "number", multipleOf: 5 } },
    pet: { anyOf: [{ $ref: "#/$defs/pet" }, { type: "null" }] },
  },
  required: ["days", "code", "list", "pet"],
  additionalProperties: false,
  $defs: { pet: { type: "object", properties: { age: { type: "integer", exclusiveMinimum: 7 } } } },
};

test("the limits that Anthropic's SDK tells in descriptions are those of the schema it was given", () => {
  const read = JSON.parse(JSON.stringify(withToldLimits(transformJSONSchema(asked)), withoutDescriptions));
  const given = structuredClone(asked);
  Reflect.deleteProperty(given.properties.days, "description");
  Reflect.set(given.$defs.pet, "additionalProperties", false);
  assert.deepEqual(read, given);
});

function withoutDescriptions(name: string, value: unknown): unknown {
  return name === "description" ? undefined : value;
}

test("limits are read from the last line of this gateway's descriptions, and never go before the schema's own", () => {
  const description = 'A colour.\nMust hold: pattern: "^a; b"; maxItems: 3; not: {"const":"x; y"}';
  assert.deepEqual(withToldLimits({ description, maxItems: 5 }), {
    description,
    maxItems: 5,
    pattern: "^a; b",
    not: { const: "x; y" },
  });
});

test("a description that only looks like limits tells none", () => {
  for (const description of [
    "Must hold: the line; minimum: 1",
    "Must hold: minimum: 1\nand more",
    "{a, b}",
    "See {minimum: 1}",
    "{minimum: one}",
  ]) {
    assert.deepEqual(withToldLimits({ type: "integer", description }), { type: "integer", description });
  }
});

test("a description of ten megabytes, with a text as long, is a description", () => {
  const schema = { type: "string", description: `Must hold: pattern: "${"a".repeat(10_000_000)}"` };
  assert.deepEqual(withToldLimits(schema), schema);
});
