import { isObject, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Effort } from "./effort.ts";
import { between } from "./random.ts";
import type { Random } from "./random.ts";

/** How the parts of an object or array are made. */
export type PartMaker = {
  /** A value for a schema one level down. */
  readonly make: (schema: unknown, name: string) => unknown;
  /** The same where equal ones are not allowed: its texts tell the number. */
  readonly makeOther: (schema: unknown, name: string, number: number) => unknown;
  readonly nextWord: () => string | undefined;
  readonly random: Random;
  /** Only what must be there. */
  readonly isSparse: boolean;
  readonly effort: Effort;
  /** True when the work set aside for the whole value is used up. */
  readonly isSpent: () => boolean;
};

/** Free-form members made at most. */
const mostFree = 1_000;
const namesPerStep = 4;

/** An object for a flat schema of type object. */
export function fillObject(flat: JsonObject, maker: PartMaker): JsonObject {
  const properties = isObject(flat["properties"]) ? flat["properties"] : {};
  const others = othersOf(flat);
  const made = new Map<string, unknown>();
  const add = (name: string, schema: unknown): void => {
    if (!made.has(name) && !maker.isSpent()) made.set(name, maker.make(schema, name));
  };
  for (const name of describedNames(flat, properties, maker)) add(name, properties[name]);
  for (const name of stringsIn(flat["required"])) add(name, others);
  for (const name of dependents(flat, made)) add(name, properties[name] ?? others);
  const least = freeCount(flat, made.size, maker);
  for (let tries = 0; made.size < least && tries < 2 * mostFree && !maker.isSpent(); tries += 1) {
    add(freeName(flat, tries, maker), others);
  }
  return Object.fromEntries(made);
}

/** The described members to make: all required ones, and as many of the others as are allowed. */
function describedNames(flat: JsonObject, properties: JsonObject, maker: PartMaker): readonly string[] {
  const required = new Set(stringsIn(flat["required"]));
  const most = typeof flat["maxProperties"] === "number" ? flat["maxProperties"] : Number.POSITIVE_INFINITY;
  const { minProperties: least } = flat;
  const wanted = maker.isSparse ? Math.min(most, typeof least === "number" ? least : 0) : most;
  let optionalLeft = wanted - required.size;
  maker.effort.left -= (required.size + Object.keys(properties).length) / namesPerStep;
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (required.has(name)) return [name];
    if (schema === false || optionalLeft <= 0) return [];
    optionalLeft -= 1;
    return [name];
  });
}

/** How many members there are to be; a map is shown with one entry, so that it is not empty for no reason. */
function freeCount(flat: JsonObject, already: number, maker: PartMaker): number {
  const { minProperties, maxProperties, additionalProperties } = flat;
  const least = typeof minProperties === "number" ? Math.min(minProperties, mostFree) : 0;
  const isMap = isObject(additionalProperties) && already === 0 && maxProperties !== 0;
  return isMap && !maker.isSparse ? Math.max(least, 1) : least;
}

function othersOf(flat: JsonObject): unknown {
  const { additionalProperties, patternProperties } = flat;
  if (additionalProperties !== undefined && additionalProperties !== false) return additionalProperties;
  return isObject(patternProperties) ? (Object.values(patternProperties)[0] ?? true) : true;
}

function freeName(flat: JsonObject, index: number, maker: PartMaker): string {
  const { propertyNames, patternProperties } = flat;
  const pattern = isObject(patternProperties) ? Object.keys(patternProperties)[0] : undefined;
  const rule = isObject(propertyNames) ? propertyNames : { pattern };
  if (rule === propertyNames || pattern !== undefined) {
    const name = maker.make({ type: "string", ...rule }, "");
    if (typeof name === "string") return name;
  }
  return index === 0 ? (maker.nextWord() ?? "item") : `item${index}${between(maker.random, 0, 9)}`;
}

/** What the members made bring with them, and what that brings. */
function dependents(flat: JsonObject, made: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  const { dependentRequired } = flat;
  const brought = new Set<string>();
  if (!isObject(dependentRequired)) return brought;
  // A set is walked to its end, what is added on the way included.
  const present = new Set(made.keys());
  for (const name of present) {
    if (!Object.hasOwn(dependentRequired, name)) continue;
    for (const needed of stringsIn(dependentRequired[name])) {
      present.add(needed);
      brought.add(needed);
    }
  }
  return brought;
}
