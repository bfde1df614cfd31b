import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

/** A null counts as missing, as does a number that is none. */
export function hasValue(value: unknown): boolean {
  return value !== undefined && value !== null && !(typeof value === "number" && !Number.isFinite(value));
}

/** An object of these members without the missing ones. `__proto__` is a name like others. */
export function jsonObjectOf(members: readonly (readonly [string, unknown])[]): JsonObject {
  return Object.fromEntries(members.filter(([, value]) => hasValue(value)));
}

/** What a condition takes for yes: everything but a missing value, false, zero and an empty text. */
export function holds(value: unknown): boolean {
  return hasValue(value) && value !== false && value !== 0 && value !== "";
}

/** A text, number or truth as text; undefined for everything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === "boolean" ? String(value) : undefined;
}

/** Answers that nest deeper are not read: neither the database nor `JSON.stringify` would take them. */
export const mostDepth = 128;

/** Whether nothing in it nests deeper than `mostDepth`. Goes level by level, so that no depth is too much for it. */
export function isShallow(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostDepth) return false;
    level = level.flatMap(itemsOf);
  }
  return true;
}

function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}

/** JSON text of any value, undefined when it is missing or nests too deep. */
export function jsonText(value: unknown): string | undefined {
  if (!hasValue(value)) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
