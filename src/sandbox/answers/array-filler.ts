import type { JsonObject } from "../json.ts";
import type { PartMaker } from "./object-filler.ts";
import { between } from "./random.ts";

/** Longer arrays are not made, whatever a schema asks for. */
const mostItems = 1_000;

/** An array for a flat schema of type array; `name` is the property that holds it. */
export function fillArray(flat: JsonObject, name: string, maker: PartMaker): readonly unknown[] {
  const made: unknown[] = [];
  const seen = new Set<string>();
  const count = itemCount(flat, maker);
  for (let tries = 0; made.length < count && tries < count * 10 && !maker.isSpent(); tries += 1) {
    const item = maker.make(itemSchema(flat, made.length), name);
    const text = flat["uniqueItems"] === true ? JSON.stringify(item) : "";
    if (seen.has(text)) continue;
    if (text !== "") seen.add(text);
    made.push(item);
  }
  return made;
}

function firstsOf({ prefixItems }: JsonObject): readonly unknown[] {
  return Array.isArray(prefixItems) ? prefixItems : [];
}

function itemSchema(flat: JsonObject, at: number): unknown {
  const firsts = firstsOf(flat);
  if (at < firsts.length) return firsts[at];
  const { items, contains } = flat;
  return at === firsts.length && contains !== undefined
    ? { allOf: [contains, items ?? true] }
    : (items ?? true);
}

function itemCount(flat: JsonObject, maker: PartMaker): number {
  const { minItems, maxItems, items, contains } = flat;
  const fixed = firstsOf(flat).length;
  const needed = contains === undefined ? 0 : fixed + 1;
  const least = Math.max(typeof minItems === "number" ? minItems : 0, needed);
  const liked = maker.isSparse ? least : Math.max(least, fixed, between(maker.random, 1, 3));
  const most = typeof maxItems === "number" ? maxItems : mostItems;
  return Math.min(liked, most, mostItems, items === false ? fixed : mostItems);
}
