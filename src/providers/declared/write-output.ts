import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { mostDepth } from "./json-values.ts";
import { MarkedFile } from "./marks.ts";

/** More than any template and answer together. */
const mostLevels = 2 * mostDepth;

/**
 * An evaluated output as plain JSON, with its file marks written out. A member `$file` that came with the data is left
 * out: only the endpoint says what is fetched and stored. What nests deeper than any answer becomes null.
 */
export function writtenOutput(value: unknown, level = 0): unknown {
  if (value instanceof MarkedFile) return value.mark;
  if (level > mostLevels) return null;
  if (Array.isArray(value)) return value.map((item: unknown) => writtenOutput(item, level + 1));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([name]) => name !== "$file");
  return Object.fromEntries(members.map(([name, inner]) => [name, writtenOutput(inner, level + 1)]));
}

/**
 * An output in which nothing is told: no member, or only such members. An empty list tells that nothing was found; a
 * list of empty things tells nothing.
 */
export function isHollow(output: JsonObject): boolean {
  return isHollowValue(output);
}

function isHollowValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isHollowValue);
  return isJsonObject(value) && Object.values(value).every(isHollowValue);
}
