import { isJsonObject } from "../../core/json-object.ts";

/** Every item of a list. */
export const each: unique symbol = Symbol("each");

export type Step = string | number | typeof each;

/** The way to a value: a name of the scope, then members, places in lists, and `each`. */
export type ValuePath = readonly [root: string, ...steps: Step[]];

/** `.name`, `[0]`, `[*]`, `['any name']` or `["any name"]`. */
const step = /\.([A-Za-z0-9_][\w-]*)|\[(\d{1,6})\]|\[(\*)\]|\['([^']*)'\]|\["([^"]*)"\]/y;

/** Reads `.root.member[0]['other member'][*]`; undefined when it has another form. */
export function parsePath(text: string): ValuePath | undefined {
  const steps: Step[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < text.length) {
    const parts = step.exec(text);
    if (parts === null) return undefined;
    const [, name, place, star, single, double] = parts;
    if (star !== undefined) steps.push(each);
    else if (place !== undefined) steps.push(Number(place));
    else steps.push(name ?? single ?? double ?? "");
  }
  const [root, ...rest] = steps;
  return typeof root === "string" && text.startsWith(".") ? [root, ...rest] : undefined;
}

/** The path as people write it: `inputs.items[0].name`. */
export function writtenPath([root, ...steps]: ValuePath): string {
  return root + steps.map(written).join("");
}

function written(one: Step): string {
  if (one === each) return "[*]";
  return typeof one === "number" ? `[${one}]` : `.${one}`;
}

/**
 * The value at the path, undefined where there is none. Only own members count, so that no name reaches a prototype.
 * After `[*]` the value is a flat list of all that is found, without what is missing or null.
 */
export function valueAt(scope: unknown, path: ValuePath): unknown {
  let value = scope;
  for (const [index, one] of path.entries()) {
    if (one === each) return listAt(value, path.slice(index));
    value = partOf(value, one);
    if (value === undefined || value === null) return undefined;
  }
  return value;
}

function listAt(list: unknown, steps: readonly Step[]): readonly unknown[] | undefined {
  if (!Array.isArray(list)) return undefined;
  let values: readonly unknown[] = [list];
  for (const one of steps) {
    values =
      one === each
        ? values.flatMap((value) => (Array.isArray(value) ? value : []))
        : values.map((value) => partOf(value, one));
  }
  return values.filter((value) => value !== undefined && value !== null);
}

function partOf(value: unknown, one: string | number): unknown {
  if (typeof one === "number") return Array.isArray(value) ? value[one] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, one) ? value[one] : undefined;
}
