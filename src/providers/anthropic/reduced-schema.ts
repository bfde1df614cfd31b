import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

/*
 * Anthropic compiles output schemas and strict tools to a grammar, and refuses the keywords the grammar cannot express.
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */

const kept = new Set(["type", "enum", "const", "$ref", "required", "title", "description", "default"]);
const formats = new Set("date-time time date duration email hostname uri ipv4 ipv6 uuid".split(" "));
/** Keywords that say nothing about values. */
const silent = new Set(["$schema", "$id", "$comment"]);

type Member = readonly [string, unknown];
type Reduce = (value: unknown) => unknown;

/** What becomes of a keyword's value; undefined where it cannot be expressed. */
const translated: ReadonlyMap<string, Reduce> = new Map([
  ["properties", reducedNamed],
  ["$defs", reducedNamed],
  ["definitions", reducedNamed],
  ["items", (value) => (isJsonObject(value) ? reducedSchema(value) : undefined)],
  ["anyOf", reducedList],
  ["oneOf", reducedList],
  ["allOf", reducedList],
  ["format", (value) => (typeof value === "string" && formats.has(value) ? value : undefined)],
  ["minItems", (value) => (value === 0 || value === 1 ? value : undefined)],
]);

/**
 * The schema with only what the grammar can express: what it cannot goes into the description, so that the model still
 * reads it; every object is closed. Pure; the given schema stays as it is.
 */
export function reducedSchema(schema: JsonObject): JsonObject {
  const members: Member[] = [];
  const untold: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const left = reducedValue(schema, keyword, value);
    if (left !== undefined) members.push([keyword === "oneOf" ? "anyOf" : keyword, left]);
    else if (!saysNothing(keyword, value)) untold.push(`${keyword}: ${JSON.stringify(value)}`);
  }
  const reduced = Object.fromEntries(members);
  const closed = isObjectSchema(schema) ? { additionalProperties: false } : {};
  return { ...reduced, ...closed, ...description(reduced["description"], untold) };
}

function reducedValue(schema: JsonObject, keyword: string, value: unknown): unknown {
  if (kept.has(keyword)) return value;
  if (keyword === "oneOf" && "anyOf" in schema) return undefined;
  return translated.get(keyword)?.(value);
}

function saysNothing(keyword: string, value: unknown): boolean {
  return silent.has(keyword) || (keyword === "additionalProperties" && typeof value === "boolean");
}

function reducedNamed(value: unknown): unknown {
  if (!isJsonObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, reducedAny(schema)]));
}

function reducedList(value: unknown): unknown {
  return Array.isArray(value) ? value.map(reducedAny) : undefined;
}

function reducedAny(schema: unknown): unknown {
  return isJsonObject(schema) ? reducedSchema(schema) : schema;
}

function isObjectSchema(schema: JsonObject): boolean {
  const type = schema["type"];
  const isNamed = type === "object" || (Array.isArray(type) && type.includes("object"));
  return isNamed || (type === undefined && isJsonObject(schema["properties"]));
}

function description(own: unknown, untold: readonly string[]): JsonObject {
  if (untold.length === 0) return {};
  const rules = `Must hold: ${untold.join("; ")}`;
  return { description: typeof own === "string" && own !== "" ? `${own}\n${rules}` : rules };
}
