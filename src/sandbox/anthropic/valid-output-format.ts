import { isGiven, isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";

const efforts = new Set<unknown>(["low", "medium", "high", "xhigh", "max"]);

/** Keywords that structured outputs do not know (platform.claude.com/docs, structured outputs: limitations). */
const unknownKeywords = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "maxItems",
  "uniqueItems",
  "oneOf",
  "not",
];

const formats = new Set<unknown>("date-time time date duration email hostname uri ipv4 ipv6 uuid".split(" "));

/** Schemas nested deeper than this are not looked into. */
const mostDepth = 50;

export function checkOutputFormat(config: unknown): void {
  if (!isGiven(config)) return;
  if (!isObject(config)) throw badRequest("output_config: an object");
  const { effort, format } = config;
  if (isGiven(effort) && !efforts.has(effort))
    throw badRequest("output_config.effort: low, medium, high, xhigh or max");
  if (!isGiven(format)) return;
  if (!isObject(format) || format["type"] !== "json_schema" || !isObject(format["schema"])) {
    throw badRequest("output_config.format: the type is json_schema, with a schema");
  }
  checkSchema(format["schema"], "output_config.format.schema", 0);
}

function checkSchema(schema: unknown, place: string, depth: number): void {
  if (!isObject(schema) || depth > mostDepth) return;
  const keyword = unknownKeywords.find((name) => Object.hasOwn(schema, name));
  if (keyword !== undefined) throw badRequest(`${place}.${keyword}: not supported`);
  checkValues(schema, place);
  if (schema["type"] === "object" && schema["additionalProperties"] !== false) {
    throw badRequest(`${place}.additionalProperties: has to be false`);
  }
  for (const name of ["properties", "$defs", "definitions"]) {
    const named = schema[name];
    if (!isObject(named)) continue;
    for (const [key, inner] of Object.entries(named))
      checkSchema(inner, `${place}.${name}.${key}`, depth + 1);
  }
  for (const name of ["anyOf", "allOf"]) {
    const branches = schema[name];
    if (!Array.isArray(branches)) continue;
    for (const [at, inner] of branches.entries()) checkSchema(inner, `${place}.${name}.${at}`, depth + 1);
  }
  checkSchema(schema["items"], `${place}.items`, depth + 1);
}

/** Keywords that are known with some values only. */
function checkValues({ format, minItems }: JsonObject, place: string): void {
  if (isGiven(format) && !formats.has(format)) throw badRequest(`${place}.format: not supported`);
  if (isGiven(minItems) && minItems !== 0 && minItems !== 1)
    throw badRequest(`${place}.minItems: 0 or 1 only`);
}
