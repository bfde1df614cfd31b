import { isJsonObject } from "./json-object.ts";
import type { JsonObject } from "./json-object.ts";

/** Where in a document, and what stands there. */
export type Spot = { readonly path: readonly PropertyKey[]; readonly value: unknown };

/**
 * What a JSON Schema wants at a place, in our own words: "want a whole number from 1 to 128". `value` is the document that
 * was checked; a place where it has nothing is missing.
 */
export function wantedAt(schema: JsonObject, { path, value }: Spot): string {
  const here = valueAt(value, path);
  const missing = here === undefined ? "is missing; " : "";
  const name = path.findLast((part) => typeof part === "string") ?? "";
  const wishes = wishesOf(schemasAt([schema], path, value).flatMap(alternatives), String(name)).map((wish) =>
    // Another form than which? There is no text.
    wish === otherForm && typeof here !== "string" ? "a text" : wish,
  );
  return `${missing}want ${wishes.length === 0 ? "another value" : joined([...new Set(wishes)])}`;
}

/** The members that objects may have at a place; none where they may have any. */
export function membersAt(schema: JsonObject, { path, value }: Spot): readonly string[] {
  const schemas = schemasAt([schema], path, value).flatMap(alternatives);
  return schemas.flatMap(({ properties }) => (isJsonObject(properties) ? Object.keys(properties) : []));
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return here;
}

/** All schemas that a value at this place may follow. */
function schemasAt(
  roots: readonly JsonObject[],
  path: readonly PropertyKey[],
  value: unknown,
): readonly JsonObject[] {
  const [part, ...rest] = path;
  if (part === undefined) return roots;
  // A tag that is itself at fault says nothing about the rest.
  const tags = ["type", "role"].filter((tag) => tag !== part);
  const schemas = roots.flatMap(alternatives).filter((one) => isMeant(one, value, tags));
  const next = schemas.map((one) => memberOf(one, part)).filter(isJsonObject);
  return schemasAt(next, rest, valueAt(value, [part]));
}

/** What all branches have in common is part of each. */
function alternatives(schema: JsonObject): readonly JsonObject[] {
  const { anyOf, oneOf, ...common } = schema;
  const choices = anyOf ?? oneOf;
  if (!Array.isArray(choices)) return [schema];
  return choices.filter(isJsonObject).flatMap((choice) => alternatives({ ...common, ...choice }));
}

/** False for the branch of another kind, which a member such as `type` or `role` tells. */
function isMeant({ properties }: JsonObject, value: unknown, tags: readonly string[]): boolean {
  if (!isJsonObject(properties) || !isJsonObject(value)) return true;
  return tags.every((tag) => {
    const told = value[tag];
    const known = Object.hasOwn(properties, tag) ? properties[tag] : undefined;
    const values = isJsonObject(known) ? listed(known) : undefined;
    return typeof told !== "string" || values === undefined || values.includes(told);
  });
}

function memberOf(schema: JsonObject, part: PropertyKey): unknown {
  if (typeof part === "number") return schema["items"];
  const { properties } = schema;
  if (isJsonObject(properties) && Object.hasOwn(properties, String(part))) return properties[String(part)];
  return schema["additionalProperties"];
}

function listed(schema: JsonObject): readonly unknown[] | undefined {
  if ("const" in schema) return [schema["const"]];
  return Array.isArray(schema["enum"]) ? schema["enum"] : undefined;
}

/** One phrase for each thing that would do, and one for all listed values; null is never advice. */
function wishesOf(schemas: readonly JsonObject[], name: string): readonly string[] {
  const values = schemas.flatMap((one) => listed(one) ?? []).map(String);
  const others = schemas.filter((one) => listed(one) === undefined);
  const phrases = others.flatMap((one) => {
    const types: readonly unknown[] = Array.isArray(one["type"]) ? one["type"] : [one["type"]];
    return types.flatMap((type) => phraseOf(type, one, name) ?? []);
  });
  if (values.length === 0) return phrases;
  return [values.length === 1 ? values.join("") : `one of ${values.join(", ")}`, ...phrases];
}

function phraseOf(type: unknown, schema: JsonObject, name: string): string | undefined {
  switch (type) {
    case "string":
      return textPhrase(schema);
    case "integer":
      return `a whole number${rangeOf(schema)}`;
    case "number":
      return `a number${rangeOf(schema)}`;
    case "boolean":
      return "true or false";
    case "array":
      return `a list of ${boundsOf(schema, "Items")}${itemsPhrase(schema["items"], name)}`;
    case "object":
      return "an object";
    default:
      return undefined;
  }
}

const forms: Readonly<Record<string, string>> = {
  uri: "an address such as https://example.com",
  email: "an e-mail address",
  date: "a date such as 2026-01-31",
  "date-time": "a time such as 2026-01-31T12:00:00Z",
};

const otherForm = "a text of another form";

function textPhrase(schema: JsonObject): string {
  const form = forms[String(schema["format"])];
  if (form !== undefined) return form;
  const bounds = boundsOf(schema, "Length");
  if (bounds !== "")
    return bounds === "one or more " ? "a text that is not empty" : `a text of ${bounds}characters`;
  return "pattern" in schema ? otherForm : "a text";
}

/** `1 to 512 `, `at most 16 `, or nothing. */
function boundsOf(schema: JsonObject, of: "Length" | "Items"): string {
  const [least, most] = [schema[`min${of}`], schema[`max${of}`]];
  if (typeof least === "number" && typeof most === "number")
    return least === most ? `${least} ` : `${least} to ${most} `;
  if (least === 1 && most === undefined) return "one or more ";
  if (typeof most === "number") return `at most ${most} `;
  return typeof least === "number" && least > 0 ? `at least ${least} ` : "";
}

/** What every integer is bounded by says nothing. */
const farthest = Number.MAX_SAFE_INTEGER;

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonObject): string {
  const least = typeof minimum === "number" && minimum > -farthest ? minimum : undefined;
  const most = typeof maximum === "number" && maximum < farthest ? maximum : undefined;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (typeof exclusiveMinimum === "number") return ` above ${exclusiveMinimum}`;
  if (typeof exclusiveMaximum === "number") return ` below ${exclusiveMaximum}`;
  if (least !== undefined) return ` of at least ${least}`;
  return most === undefined ? "" : ` of at most ${most}`;
}

/** Lists have the name of what they hold, in the plural. */
function itemsPhrase(items: unknown, name: string): string {
  const kinds = isJsonObject(items) ? alternatives(items).map((one) => one["type"]) : [];
  if (kinds.length === 1 && kinds[0] === "string") return "texts";
  if (kinds.length === 1 && kinds[0] === "integer") return "whole numbers";
  if (kinds.length === 1 && kinds[0] === "number") return "numbers";
  return /^[a-z_]{2,32}s$/.test(name) ? name : "values";
}

function joined(phrases: readonly string[]): string {
  return phrases.length < 2
    ? phrases.join("")
    : `${phrases.slice(0, -1).join(", ")} or ${phrases.at(-1) ?? ""}`;
}
