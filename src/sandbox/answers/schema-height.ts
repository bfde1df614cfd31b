import { isObject, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Ground } from "./effort.ts";
import { referred, typesIn } from "./schema-flat.ts";

const mostLooks = 1_000;
const mostLevels = 10;
/** What a look takes of the effort. */
const stepsOfLook = 4;

/** How many levels the smallest value of a schema needs; Infinity when that is not known after looking for a while. */
export function heightOf(schema: unknown, { root, effort }: Ground): number {
  let looks = 0;
  const height = (part: unknown, fuel: number): number => {
    looks += 1;
    effort.left -= stepsOfLook;
    if (fuel === 0 || looks > mostLooks || effort.left <= 0) return Number.POSITIVE_INFINITY;
    if (!isObject(part) || Object.hasOwn(part, "const") || Object.hasOwn(part, "enum")) return 0;
    const inner = (schemas: readonly unknown[]): readonly number[] =>
      schemas.map((one) => height(one, fuel - 1));
    const heights = [0, ...inner(sameLevel(part, root))];
    for (const branches of [part["anyOf"], part["oneOf"]]) {
      if (Array.isArray(branches)) heights.push(Math.min(...inner(branches)));
    }
    for (const needed of inner(levelBelow(part))) heights.push(1 + needed);
    return Math.max(...heights);
  };
  return height(schema, mostLevels);
}

function sameLevel({ $ref, allOf }: JsonObject, root: unknown): readonly unknown[] {
  const parts: unknown[] = Array.isArray(allOf) ? [...allOf] : [];
  return typeof $ref === "string" ? [...parts, referred($ref, root)] : parts;
}

function levelBelow(schema: JsonObject): readonly unknown[] {
  if (typesIn(schema["type"]).includes("null")) return [];
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const needed = stringsIn(schema["required"]).map((name) => properties[name]);
  const { minItems, items } = schema;
  return typeof minItems === "number" && minItems > 0 ? [...needed, items] : needed;
}
