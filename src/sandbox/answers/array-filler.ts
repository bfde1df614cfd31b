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
    const schema = itemSchema(flat, made.length);
    const repeats = tries - made.length;
    const item = repeats === 0 ? maker.make(schema, name) : maker.makeOther(schema, name, repeats + 1);
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
  const { contains, maxContains } = flat;
  const items = flat["items"] ?? true;
  if (contains === undefined) return items;
  if (at < firsts.length + leastContained(flat)) return { allOf: [contains, items] };
  return typeof maxContains === "number" ? { allOf: [items, { not: contains }] } : items;
}

function leastContained({ contains, minContains }: JsonObject): number {
  if (contains === undefined) return 0;
  return typeof minContains === "number" ? minContains : 1;
}

function itemCount(flat: JsonObject, maker: PartMaker): number {
  const { minItems, maxItems, items } = flat;
  const fixed = firstsOf(flat).length;
  const contained = leastContained(flat);
  const needed = contained === 0 ? 0 : fixed + contained;
  const least = Math.max(typeof minItems === "number" ? minItems : 0, needed);
  const liked = maker.isSparse ? least : Math.max(least, fixed, between(maker.random, 1, 3));
  const most = typeof maxItems === "number" ? maxItems : mostItems;
  return Math.min(liked, most, mostItems, items === false ? fixed : mostItems);
}
