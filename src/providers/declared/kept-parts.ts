import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { jsonObjectOf } from "./json-values.ts";
import { each } from "./value-path.ts";
import type { Step, ValuePath } from "./value-path.ts";

/** Which parts of a value somebody will read: all of it, or these steps into it. */
export type Parts = "all" | ReadonlyMap<Step, Parts>;

const nothing: Parts = new Map();

/** What the paths with this root read of it. */
export function partsRead(paths: readonly ValuePath[], root: string): Parts {
  return paths
    .filter(([first]) => first === root)
    .reduce<Parts>((parts, [, ...steps]) => merged(parts, partsAt(steps)), nothing);
}

function partsAt(steps: readonly Step[]): Parts {
  return steps.reduceRight<Parts>((inner, one) => new Map([[one, inner]]), "all");
}

export function merged(one: Parts, other: Parts): Parts {
  if (one === "all" || other === "all") return "all";
  const both = new Map(one);
  for (const [step, parts] of other) {
    const known = both.get(step);
    both.set(step, known === undefined ? parts : merged(known, parts));
  }
  return both;
}

export function isNothing(parts: Parts): boolean {
  return parts !== "all" && parts.size === 0;
}

/** Whether a single place of a list is read: what is read then depends on what comes before it. */
export function readsPlaces(parts: Parts): boolean {
  return parts !== "all" && [...parts.keys()].some((step) => typeof step === "number");
}

/**
 * The value without all that nobody will read: whoever reads these parts finds the same as before. Unread items that
 * stand before read ones become null. Its depth is the paths', not the value's.
 */
export function keptParts(value: unknown, parts: Parts): unknown {
  if (parts === "all") return value;
  if (Array.isArray(value)) return keptItems(value, parts);
  const wanted = asOneItem(parts);
  if (wanted === "all") return value;
  return isJsonObject(value) ? keptMembers(value, wanted) : undefined;
}

function keptItems(list: readonly unknown[], parts: ReadonlyMap<Step, Parts>): readonly unknown[] {
  const everyItem = parts.get(each);
  const places = [...parts.keys()].filter((step) => typeof step === "number");
  const read = everyItem === undefined ? list.slice(0, Math.max(-1, ...places) + 1) : list;
  return read.map((item, place) => {
    const wanted = merged(everyItem ?? nothing, parts.get(place) ?? nothing);
    return (isNothing(wanted) ? undefined : keptParts(item, wanted)) ?? null;
  });
}

/** Where a list is wanted, one value alone may be taken for a list of one (`$array`). */
function asOneItem(parts: ReadonlyMap<Step, Parts>): Parts {
  let wanted: Parts = parts;
  for (let item = parts.get(each); item !== undefined;) {
    const others = new Map(wanted);
    others.delete(each);
    wanted = merged(others, item);
    if (wanted === "all") return wanted;
    item = wanted.get(each);
  }
  return wanted;
}

function keptMembers(object: JsonObject, parts: ReadonlyMap<Step, Parts>): JsonObject {
  const kept: [string, unknown][] = [];
  for (const [step, inner] of parts) {
    if (typeof step !== "string" || !Object.hasOwn(object, step)) continue;
    kept.push([step, keptParts(object[step], inner)]);
  }
  return jsonObjectOf(kept);
}
