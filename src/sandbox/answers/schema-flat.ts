import { isObject, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Ground } from "./effort.ts";

/** A chosen branch of `anyOf`, `oneOf` or `if`; the chooser decides by what it needs (any, or the smallest). */
export type ChooseBranch = (branches: readonly unknown[]) => unknown;

/** References followed for one schema; a schema that only refers to itself ends here. */
const mostHops = 256;

const combinators = new Set(["$ref", "allOf", "anyOf", "oneOf", "if", "then", "else"]);

/**
 * A schema without references and combinators: `$ref` followed, `allOf` merged, one branch of each choice taken.
 * Undefined when nothing fits (`false`). What cannot be merged (`not`) is left to the check of the finished value.
 */
export function flatten(schema: unknown, ground: Ground, choose: ChooseBranch): JsonObject | undefined {
  const { root, effort } = ground;
  let hops = 0;
  const flat = (part: unknown): JsonObject | undefined => {
    if (part === false) return undefined;
    hops += 1;
    if (!isObject(part) || hops > mostHops || effort.left <= 0) return {};
    const base = Object.fromEntries(
      Object.entries(inNewWords(part)).filter(([keyword]) => !combinators.has(keyword)),
    );
    return partsOf(part, root, choose).reduce<JsonObject | undefined>((merged, member) => {
      const next = merged === undefined ? undefined : flat(member);
      effort.left -= sizeOf(merged) + sizeOf(next);
      return merged === undefined || next === undefined ? undefined : merge(merged, next);
    }, base);
  };
  return flat(schema);
}

/** What a copy of one member takes of the effort. */
const stepsOfCopy = 8;

/** Keywords of earlier drafts, which many programs still write, as today's. */
export function inNewWords(schema: JsonObject): JsonObject {
  const { items, additionalItems, dependencies, ...others } = schema;
  if (!Array.isArray(items) && !isObject(dependencies)) return schema;
  const tuple = Array.isArray(items) ? { prefixItems: items, items: additionalItems ?? true } : { items };
  if (!isObject(dependencies)) return { ...others, ...tuple };
  const entries = Object.entries(dependencies);
  return {
    ...others,
    ...(items === undefined ? {} : tuple),
    dependentRequired: Object.fromEntries(entries.filter(([, needed]) => Array.isArray(needed))),
    dependentSchemas: Object.fromEntries(entries.filter(([, needed]) => !Array.isArray(needed))),
  };
}

/** What it takes to merge it with another. */
function sizeOf(schema: JsonObject | undefined): number {
  const properties = schema?.["properties"];
  return 1 + (isObject(properties) ? stepsOfCopy * Object.keys(properties).length : 0);
}

/** What a schema asks for beyond its own keywords, each choice made. */
function partsOf(schema: JsonObject, root: unknown, choose: ChooseBranch): readonly unknown[] {
  const { $ref, allOf, if: condition } = schema;
  const parts: unknown[] = Array.isArray(allOf) ? [...allOf] : [];
  if (typeof $ref === "string") parts.push(referred($ref, root));
  for (const branches of [schema["anyOf"], schema["oneOf"]]) {
    if (Array.isArray(branches) && branches.length > 0) parts.push(choose(branches));
  }
  const { dependentSchemas } = inNewWords(schema);
  if (isObject(dependentSchemas)) {
    const present = new Set([...stringsIn(schema["required"]), ...namesIn(schema["properties"])]);
    for (const [name, more] of Object.entries(dependentSchemas)) if (present.has(name)) parts.push(more);
  }
  if (condition !== undefined) {
    const met = { allOf: [condition, schema["then"] ?? true] };
    parts.push(choose([met, { allOf: [{ not: condition }, schema["else"] ?? true] }]));
  }
  return parts;
}

function namesIn(properties: unknown): readonly string[] {
  return isObject(properties) ? Object.keys(properties) : [];
}

/** Follows a reference inside the document (`#/$defs/item`); any other reference allows anything. */
export function referred(reference: string, root: unknown): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return true;
  let at: unknown = root;
  for (const step of decodedSteps(reference)) {
    if (Array.isArray(at)) at = at[Number(step)];
    else at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return at ?? true;
}

function decodedSteps(reference: string): readonly string[] {
  const plain = (step: string): string => step.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(reference).slice(2).split("/").map(plain);
  } catch {
    return reference.slice(2).split("/").map(plain);
  }
}

const larger = new Set([
  "minimum",
  "exclusiveMinimum",
  "minLength",
  "minItems",
  "minProperties",
  "minContains",
]);
const smaller = new Set([
  "maximum",
  "exclusiveMaximum",
  "maxLength",
  "maxItems",
  "maxProperties",
  "maxContains",
]);

function merge(one: JsonObject, other: JsonObject): JsonObject {
  const merged = new Map(Object.entries(one));
  for (const [keyword, value] of Object.entries(other)) {
    merged.set(keyword, merged.has(keyword) ? mergeKeyword(keyword, merged.get(keyword), value) : value);
  }
  return Object.fromEntries(merged);
}

type Mergers = Readonly<Record<string, (one: unknown, other: unknown) => unknown>>;

const both = (one: unknown, other: unknown): unknown =>
  one === false || other === false ? false : { allOf: [one, other] };

const mergers: Mergers = {
  required: (one, other) => [...new Set([...stringsIn(one), ...stringsIn(other)])],
  enum: bothHave,
  type: commonTypes,
  properties: mergeProperties,
  items: both,
  additionalProperties: both,
  contains: both,
  propertyNames: both,
  not: (one, other) => ({ anyOf: [one, other] }),
};

function mergeKeyword(keyword: string, one: unknown, other: unknown): unknown {
  if (typeof one === "number" && typeof other === "number") {
    if (larger.has(keyword)) return Math.max(one, other);
    if (smaller.has(keyword)) return Math.min(one, other);
    return keyword === "multipleOf" ? commonMultiple(one, other) : one;
  }
  const merger = Object.hasOwn(mergers, keyword) ? mergers[keyword] : undefined;
  return merger === undefined ? one : merger(one, other);
}

function mergeProperties(one: unknown, other: unknown): unknown {
  if (!isObject(one) || !isObject(other)) return one;
  const merged = new Map(Object.entries(one));
  for (const [name, schema] of Object.entries(other)) {
    merged.set(name, merged.has(name) ? { allOf: [merged.get(name), schema] } : schema);
  }
  return Object.fromEntries(merged);
}

function bothHave(one: unknown, other: unknown): unknown {
  if (!Array.isArray(one) || !Array.isArray(other)) return one;
  const allowed = new Set(other.map((value) => JSON.stringify(value)));
  return one.filter((value) => allowed.has(JSON.stringify(value)));
}

function commonTypes(one: unknown, other: unknown): unknown {
  const firsts = typesIn(one);
  const seconds = new Set(typesIn(other));
  const common = firsts.filter((type) => seconds.has(type) || (type === "integer" && seconds.has("number")));
  if (firsts.includes("number") && seconds.has("integer") && !common.includes("integer")) {
    return [...common.filter((type) => type !== "number"), "integer"];
  }
  return common;
}

export function typesIn(type: unknown): readonly string[] {
  return typeof type === "string" ? [type] : stringsIn(type);
}

function commonMultiple(one: number, other: number): number {
  let [left, right] = [one, other];
  while (right > 1e-9) [left, right] = [right, left % right];
  return (one * other) / left;
}

/** True when a schema, or one that it refers to at once, allows only null. */
export function allowsOnlyNull(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  return (
    schema["const"] === null ||
    (typesIn(schema["type"]).length === 1 && typesIn(schema["type"])[0] === "null")
  );
}
