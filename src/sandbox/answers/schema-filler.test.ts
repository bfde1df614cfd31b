import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { fingerprintOf, randomFrom } from "./random.ts";
import { fillSchema } from "./schema-filler.ts";

const draft7 = "http://json-schema.org/draft-07/schema#";
const ajv = new Ajv2020({ strict: false });
const earlierAjv = new Ajv({ strict: false });
formats.default(ajv);
formats.default(earlierAjv);

function filled(schema: unknown, seed = "seed", words: readonly string[] = ["Paris", "weather"]): unknown {
  return fillSchema(schema, { random: randomFrom(fingerprintOf(seed)), words });
}

function assertValid(schema: object | boolean, value: unknown): void {
  const judge = typeof schema === "object" && "$schema" in schema ? earlierAjv : ajv;
  const valid = judge.validate(schema, value);
  assert.ok(valid, `${JSON.stringify(value)} for ${JSON.stringify(schema)}: ${judge.errorsText()}`);
}

const cases: Readonly<Record<string, object>> = {
  "an object with required and optional members": {
    type: "object",
    properties: {
      city: { type: "string" },
      unit: { enum: ["c", "f"] },
      days: { type: "integer", minimum: 1 },
    },
    required: ["city"],
    additionalProperties: false,
  },
  "a member that is required and described nowhere": { type: "object", required: ["x", "__proto__"] },
  "a nullable type list": { type: ["string", "null"], minLength: 3 },
  "an enumeration narrowed by a type": { type: "string", enum: [1, "one", null] },
  "a constant of any kind": { type: "object", properties: { a: { const: { b: [1] } } }, required: ["a"] },
  "open and closed number bounds": {
    type: "array",
    minItems: 5,
    maxItems: 5,
    prefixItems: [
      { type: "integer", exclusiveMinimum: 3, exclusiveMaximum: 5 },
      { type: "number", minimum: -0.2, exclusiveMaximum: -0.1 },
      { type: "number", multipleOf: 0.01, minimum: 0.05, maximum: 0.3 },
      { type: "integer", multipleOf: 7, minimum: -20, maximum: -10 },
      { type: "number", maximum: -1e9 },
    ],
  },
  "string lengths in code points": {
    type: "array",
    prefixItems: [
      { type: "string", minLength: 60, maxLength: 60 },
      { type: "string", maxLength: 1 },
      { type: "string", maxLength: 0 },
    ],
  },
  "every common format": {
    type: "object",
    properties: Object.fromEntries(
      ["date-time", "date", "time", "duration", "email", "hostname", "uri", "uri-reference", "ipv4", "ipv6"]
        .concat(["uuid", "json-pointer", "relative-json-pointer", "regex", "uri-template", "byte"])
        .map((format) => [format, { type: "string", format }]),
    ),
    additionalProperties: false,
  },
  "patterns as people write them": {
    type: "object",
    properties: Object.fromEntries(
      [
        "^[A-Z]{3}-\\d{4}$",
        "^(?:cat|dog)s?$",
        "^#[0-9a-fA-F]{6}$",
        "^\\+?[1-9]\\d{1,14}$",
        "^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$",
        "^v\\d+\\.\\d+(\\.\\d+)?$",
        "^\\S+$",
        "^[\\w.-]+$",
        "^\\$\\{[a-z_]+\\}$",
        "^\\p{Lu}\\p{L}*$",
        "^(?!\\s*$).+$",
        "^[^\\t\\f]\\t\\f\\v$",
      ].map((pattern) => [pattern, { type: "string", pattern }]),
    ),
  },
  "patterns that leave the end open, with lengths": {
    type: "array",
    prefixItems: [
      { type: "string", pattern: "[0-9]", minLength: 8 },
      { type: "string", pattern: "^foo-", minLength: 10, maxLength: 12 },
    ],
  },
  "formats with lengths": {
    type: "array",
    prefixItems: [
      { type: "string", format: "email", maxLength: 14 },
      { type: "string", format: "email", maxLength: 8 },
      { type: "string", format: "email", minLength: 40, maxLength: 50 },
      { type: "string", format: "uri", maxLength: 22 },
      { type: "string", format: "uri", minLength: 60, maxLength: 60 },
      { type: "string", format: "hostname", minLength: 20, maxLength: 24 },
    ],
  },
  "a format with a pattern that allows more": {
    type: "array",
    minItems: 4,
    items: {
      type: "string",
      format: "date-time",
      pattern: "^20\\d{2}-0[1-9]-[01][1-9]T(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d+)?)?(?:Z)$",
    },
  },
  "a pattern with lengths": { type: "string", pattern: "^[a-z]+$", minLength: 40, maxLength: 45 },
  "unions with a discriminator": {
    oneOf: [
      {
        type: "object",
        properties: { kind: { const: "a" }, a: { type: "string" } },
        required: ["kind", "a"],
      },
      {
        type: "object",
        properties: { kind: { const: "b" }, b: { type: "number" } },
        required: ["kind", "b"],
      },
    ],
  },
  "a union whose branches overlap": {
    oneOf: [
      { type: "integer", minimum: 0, maximum: 60 },
      { type: "integer", minimum: 40, maximum: 100 },
    ],
  },
  "members of which exactly one may be there": {
    type: "object",
    properties: { id: { type: "string" }, name: { type: "string" }, url: { type: "string" } },
    oneOf: [{ required: ["id"] }, { required: ["name"] }, { required: ["url"] }],
    additionalProperties: false,
  },
  "members that may not be there together": {
    type: "array",
    minItems: 2,
    items: {
      type: "object",
      properties: { text: { type: "string" }, image: { type: "string" } },
      not: { required: ["text", "image"] },
    },
  },
  "a deep object that may not be empty": nested(8, {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    minProperties: 1,
    additionalProperties: false,
  }),
  "a prohibition": { type: "integer", minimum: 1, maximum: 4, not: { enum: [1, 2] } },
  "a condition": {
    type: "object",
    properties: { country: { enum: ["US", "NL"] }, code: { type: "string" } },
    required: ["country", "code"],
    if: { properties: { country: { const: "US" } } },
    // oxlint-disable-next-line unicorn/no-thenable -- A keyword of JSON Schema; nobody awaits this object.
    then: { properties: { code: { pattern: "^\\d{5}$" } } },
    else: { properties: { code: { pattern: "^\\d{4} [A-Z]{2}$" } } },
  },
  "parts that all hold": {
    allOf: [
      { type: "object", properties: { n: { type: "number", minimum: 3 } }, required: ["n"] },
      { properties: { n: { type: "integer", maximum: 4 }, m: { type: "string" } }, required: ["m"] },
    ],
  },
  "a list that refers to itself": {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: {
          value: { type: "number" },
          next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
        },
        required: ["value", "next"],
        additionalProperties: false,
      },
    },
  },
  "a tree whose branches all have to be there": {
    $defs: {
      leaf: {
        type: "object",
        properties: { n: { type: "number" } },
        required: ["n"],
        additionalProperties: false,
      },
      plus: {
        type: "object",
        properties: { left: { $ref: "#/$defs/any" }, right: { $ref: "#/$defs/any" } },
        required: ["left", "right"],
        additionalProperties: false,
      },
      any: { anyOf: [{ $ref: "#/$defs/plus" }, { $ref: "#/$defs/leaf" }] },
    },
    $ref: "#/$defs/any",
  },
  "distinct items": {
    type: "array",
    items: { type: "integer", minimum: 1, maximum: 9 },
    minItems: 5,
    uniqueItems: true,
  },
  "distinct texts, more than there are words for": {
    type: "object",
    properties: {
      names: { type: "array", items: { type: "string" }, minItems: 15, uniqueItems: true },
      mails: { type: "array", items: { type: "string", format: "email" }, minItems: 5, uniqueItems: true },
    },
    required: ["names", "mails"],
  },
  "items that have to be contained so many times": {
    type: "array",
    items: { enum: [1, 2, 3] },
    minItems: 6,
    contains: { const: 1 },
    minContains: 2,
    maxContains: 3,
  },
  "bounds that are multiples and open": {
    type: "array",
    prefixItems: [
      { type: "integer", multipleOf: 5, exclusiveMinimum: 5, exclusiveMaximum: 15 },
      { type: "number", multipleOf: 0.5, exclusiveMinimum: 0, maximum: 0.5 },
    ],
  },
  "more parts that all hold than anybody writes by hand": {
    allOf: Array.from({ length: 70 }, (_, at) => ({ required: [`p${at}`] })),
    type: "object",
  },
  "a tuple as earlier drafts write it": {
    $schema: draft7,
    type: "array",
    items: [{ type: "number" }, { type: "boolean" }],
    additionalItems: { type: "null" },
    minItems: 4,
    maxItems: 4,
  },
  "a member that brings others, as earlier drafts write it": {
    $schema: draft7,
    type: "object",
    properties: { card: { type: "string" }, address: { type: "object" } },
    required: ["card"],
    dependencies: {
      card: ["address"],
      address: { properties: { town: { type: "null" } }, required: ["town"] },
    },
  },
  "an item that has to be contained": { type: "array", items: { type: "integer" }, contains: { const: 7 } },
  "a fixed tuple": {
    type: "array",
    prefixItems: [{ type: "string" }, { type: "boolean" }],
    items: false,
    minItems: 2,
  },
  "a map of numbers": {
    type: "object",
    additionalProperties: { type: "number" },
    minProperties: 3,
    maxProperties: 4,
  },
  "names by pattern": {
    type: "object",
    patternProperties: { "^x-[a-z]+$": { type: "boolean" } },
    additionalProperties: false,
    minProperties: 2,
  },
  "a member that brings another": {
    type: "object",
    properties: { card: { type: "string" } },
    required: ["card"],
    dependentRequired: { card: ["address"], address: ["town"] },
    dependentSchemas: { card: { properties: { code: { type: "integer" } }, required: ["code"] } },
  },
};

function nested(levels: number, inner: object): object {
  if (levels === 0) return inner;
  return { type: "object", properties: { x: nested(levels - 1, inner) }, required: ["x"] };
}

describe("a filled schema", () => {
  for (const [name, schema] of Object.entries(cases)) {
    test(`is valid for ${name}, whatever the seed`, () => {
      for (let seed = 0; seed < 40; seed += 1) assertValid(schema, filled(schema, `${seed}`));
    });
  }

  test("is the same for the same seed and another for another", () => {
    const schema = { type: "object", properties: { n: { type: "integer", maximum: 1e6 } }, required: ["n"] };
    assert.deepEqual(filled(schema, "one"), filled(schema, "one"));
    assert.notDeepEqual(filled(schema, "one"), filled(schema, "two"));
  });

  test("uses the words of the prompt for strings, in their order", () => {
    const schema = { type: "object", properties: { city: { type: "string" }, topic: { type: "string" } } };
    assert.deepEqual(filled(schema), { city: "Paris", topic: "weather" });
  });

  test("is an object when the schema says nothing", () => {
    for (const schema of [undefined, {}, true]) assert.equal(typeof filled(schema), "object");
  });

  test("is made in bounded time for a schema that asks for too much", () => {
    const wide = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`p${at}`, { $ref: "#" }]));
    const self = { $ref: "#" };
    const manyFrom = (part: number): object => ({
      properties: Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`p${part} ${at}`, {}])),
    });
    const greedy = [
      { type: "object", properties: wide, required: Object.keys(wide) },
      { type: "array", minItems: 1e9, items: { type: "string", minLength: 1e9 } },
      { type: "string", pattern: "((a{9999}){9999}){9999}" },
      { $ref: "#" },
      { allOf: [{ $ref: "#" }, { $ref: "#" }] },
      { anyOf: Array.from({ length: 500 }, () => ({ $ref: "#" })) },
      { type: "array", uniqueItems: true, minItems: 1e6, items: { const: 1 } },
      {
        type: "array",
        minItems: 50,
        items: { enum: Array.from({ length: 4_000 }, (_, at) => `value ${at}`) },
      },
      { type: "array", minItems: 1e3, items: { oneOf: Array.from({ length: 2_000 }, () => ({})) } },
      { type: "array", minItems: 1e3, items: { type: "string", pattern: "(a{9999}){9999}", minLength: 2e4 } },
      {
        anyOf: Array.from({ length: 5_000 }, () => ({
          required: ["x", "y"],
          properties: { x: self, y: self },
        })),
      },
      { type: "array", minItems: 500, items: { allOf: Array.from({ length: 60 }, (_, at) => manyFrom(at)) } },
    ];
    const started = performance.now();
    for (const schema of greedy) filled(schema);
    assert.ok(performance.now() - started < 5_000);
  });

  test("is of bounded length for a schema that asks for too much", () => {
    for (const items of [{ type: "string", minLength: 20_000 }, { const: "x".repeat(100_000) }]) {
      const made = JSON.stringify(filled({ type: "array", minItems: 1_000, items }));
      assert.ok(made.length < 500_000, `${made.length}`);
    }
  });

  test("is valid for generated schemas", () => {
    fc.assert(
      fc.property(generatedSchemas(), fc.string(), (schema, seed) =>
        assertValid(schema, filled(schema, seed)),
      ),
      { numRuns: 600 },
    );
  });
});

/** Schemas that some value satisfies, nested to a few levels. */
function generatedSchemas(): fc.Arbitrary<object> {
  const bounds = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 40 }));
  const sizes = fc.tuple(fc.nat(4), fc.nat(4));
  const names = fc.string({ minLength: 1, maxLength: 6 }).filter((name) => name !== "__proto__");
  const { schema } = fc.letrec<{ schema: object; leaf: object; inner: object }>((tie) => ({
    schema: fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie("leaf"), tie("inner")),
    leaf: fc.oneof(
      fc.constantFrom<object>({ type: "boolean" }, { type: "null" }, { type: "string" }, { type: "number" }),
      fc.constantFrom<object>({ type: "string", format: "email" }, { type: "string", format: "uuid" }),
      fc.constantFrom<object>({ type: ["integer", "null"] }, { enum: ["a", 1, null] }, { const: [1] }),
      bounds.map(([minimum, span]) => ({ type: "integer", minimum, maximum: minimum + span })),
      bounds.map(([minimum, span]) => ({ type: "number", minimum, exclusiveMaximum: minimum + span + 1 })),
      sizes.map(([minLength, span]) => ({ type: "string", minLength, maxLength: minLength + span })),
      fc.integer({ min: 1, max: 9 }).map((multipleOf) => ({ type: "integer", multipleOf, minimum: 10 })),
    ),
    inner: fc.oneof(
      fc
        .record({ properties: fc.dictionary(names, tie("schema"), { maxKeys: 4 }), closed: fc.boolean() })
        .map(({ properties, closed }) => ({
          type: "object",
          properties,
          required: Object.keys(properties).slice(0, 2),
          additionalProperties: !closed,
        })),
      fc
        .tuple(tie("schema"), sizes)
        .map(([items, [minItems, span]]) => ({ type: "array", items, minItems, maxItems: minItems + span })),
      fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
      tie("schema").map((only) => ({ allOf: [only, {}] })),
      tie("schema").map((only) => ({ $defs: {}, oneOf: [only, false] })),
    ),
  }));
  return schema;
}
