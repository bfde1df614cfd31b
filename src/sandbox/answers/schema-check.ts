import { isObject, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Effort, Ground } from "./effort.ts";
import { inNewWords, referred, typesIn } from "./schema-flat.ts";

/** Looks at most this many times into a schema; what is not looked at counts as satisfied. */
const mostLooks = 20_000;
const mostDepth = 100;

/** What they take of the effort. */
const stepsOfLook = 4;
const charactersPerStep = 16;
const comparisonsPerStep = 16;

/**
 * True when the value satisfies the schema as far as generation can go wrong: `pattern` and `format` are not looked at
 * (a pattern written by a stranger is never executed), everything else of the common keywords is. So is nothing once the
 * effort is used up.
 */
export function satisfies(value: unknown, schema: unknown, { root, effort }: Ground): boolean {
  let looks = 0;
  let depth = 0;
  const fits = (item: unknown, part: unknown): boolean => {
    looks += 1;
    effort.left -= stepsOfLook;
    if (typeof part === "boolean") return part;
    if (!isObject(part) || looks > mostLooks || depth > mostDepth || effort.left <= 0) return true;
    depth += 1;
    const isFitting = checks.every((check) => check(item, part, { fits, root, effort }));
    depth -= 1;
    return isFitting;
  };
  return fits(value, schema);
}

type Fits = (value: unknown, schema: unknown) => boolean;
type Surroundings = Ground & { readonly fits: Fits };
type Check = (value: unknown, schema: JsonObject, around: Surroundings) => boolean;

const textOf = (value: unknown, effort: Effort): string => {
  const text = JSON.stringify(value);
  effort.left -= text.length / charactersPerStep;
  return text;
};

/** Only lists and objects have to be written out to be compared. */
function isAmong(value: unknown, members: readonly unknown[], effort: Effort): boolean {
  effort.left -= members.length / comparisonsPerStep;
  if (typeof value !== "object" || value === null) return members.includes(value);
  const text = textOf(value, effort);
  return members.some(
    (member) => typeof member === "object" && effort.left > 0 && textOf(member, effort) === text,
  );
}

const checks: readonly Check[] = [
  (value, schema) => {
    const types = typesIn(schema["type"]);
    return types.length === 0 || types.some((type) => isOfType(value, type));
  },
  (value, schema, { effort }) => !Object.hasOwn(schema, "const") || isAmong(value, [schema["const"]], effort),
  (value, schema, { effort }) => !Array.isArray(schema["enum"]) || isAmong(value, schema["enum"], effort),
  (value, { $ref }, { fits, root }) => typeof $ref !== "string" || fits(value, referred($ref, root)),
  (value, { allOf }, { fits }) => !Array.isArray(allOf) || allOf.every((branch) => fits(value, branch)),
  (value, { anyOf }, { fits }) => !Array.isArray(anyOf) || anyOf.some((branch) => fits(value, branch)),
  (value, { oneOf }, { fits }) =>
    !Array.isArray(oneOf) || oneOf.filter((branch) => fits(value, branch)).length === 1,
  (value, { not }, { fits }) => not === undefined || !fits(value, not),
  (value, schema, { fits }) => {
    if (schema["if"] === undefined) return true;
    return fits(value, (fits(value, schema["if"]) ? schema["then"] : schema["else"]) ?? true);
  },
  (value, schema) => typeof value !== "number" || numberFits(value, schema),
  (value, schema) => typeof value !== "string" || lengthFits(Array.from(value).length, schema, "Length"),
  (value, schema, around) => !Array.isArray(value) || arrayFits(value, schema, around),
  (value, schema, around) => !isObject(value) || objectFits(value, schema, around.fits),
];

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function numberFits(value: number, schema: JsonObject): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const tooSmall =
    (typeof minimum === "number" && value < minimum) ||
    (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum);
  const tooLarge =
    (typeof maximum === "number" && value > maximum) ||
    (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum);
  return !tooSmall && !tooLarge && (typeof multipleOf !== "number" || Number.isInteger(value / multipleOf));
}

function lengthFits(length: number, schema: JsonObject, what: "Length" | "Items" | "Properties"): boolean {
  const least = schema[`min${what}`];
  const most = schema[`max${what}`];
  return (typeof least !== "number" || length >= least) && (typeof most !== "number" || length <= most);
}

function arrayFits(value: readonly unknown[], schema: JsonObject, { fits, effort }: Surroundings): boolean {
  const { items, prefixItems, contains, uniqueItems, minContains, maxContains } = inNewWords(schema);
  const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
  if (!lengthFits(value.length, schema, "Items")) return false;
  if (uniqueItems === true && new Set(value.map((item) => textOf(item, effort))).size < value.length)
    return false;
  if (contains !== undefined) {
    const contained = value.filter((item) => fits(item, contains)).length;
    const least = typeof minContains === "number" ? minContains : 1;
    if (contained < least || (typeof maxContains === "number" && contained > maxContains)) return false;
  }
  return value.every((item, at) => fits(item, first[at] ?? items ?? true));
}

function objectFits(value: JsonObject, schema: JsonObject, fits: Fits): boolean {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const names = Object.keys(value);
  if (!lengthFits(names.length, schema, "Properties")) return false;
  if (stringsIn(schema["required"]).some((name) => !Object.hasOwn(value, name))) return false;
  const rest = isObject(schema["patternProperties"]) ? true : (schema["additionalProperties"] ?? true);
  return names.every((name) => fits(value[name], Object.hasOwn(properties, name) ? properties[name] : rest));
}
