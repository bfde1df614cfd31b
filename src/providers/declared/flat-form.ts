import type { Expression } from "../../core/endpoint.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { hasValue, jsonObjectOf, textOf } from "./json-values.ts";
import { compileMember } from "./place.ts";
import type { Place, Scope } from "./place.ts";

const mostLevels = 32;

/** How the items of lists are named: `a[0]`, `a[1]`, or `a` again and again. */
export type ListNames = "numbered" | "repeated";

/**
 * An object as `name=value` pairs, percent-encoded and joined by `&`, nested members as `outer[inner]`. Undefined when
 * it nests deeper than any form.
 */
export function flatForm(object: JsonObject, listNames: ListNames): string | undefined {
  const pairs: string[] = [];
  const isWhole = Object.entries(object).every(([name, value]) =>
    addPairs(pairs, { name: encoded(name), value, level: 0 }, listNames),
  );
  return isWhole ? pairs.join("&") : undefined;
}

type Field = { readonly name: string; readonly value: unknown; readonly level: number };

function addPairs(pairs: string[], { name, value, level }: Field, listNames: ListNames): boolean {
  if (!hasValue(value)) return true;
  const text = textOf(value);
  if (text !== undefined) {
    pairs.push(`${name}=${encoded(text)}`);
    return true;
  }
  if (level >= mostLevels) return false;
  const inner = Array.isArray(value)
    ? value.map(
        (item: unknown, index) => [listNames === "numbered" ? `${name}[${index}]` : name, item] as const,
      )
    : Object.entries(isJsonObject(value) ? value : {}).map(
        ([member, item]) => [`${name}[${encoded(member)}]`, item] as const,
      );
  return inner.every(([innerName, item]) =>
    addPairs(pairs, { name: innerName, value: item, level: level + 1 }, listNames),
  );
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** A query without its question mark, undefined when a value cannot be part of one. */
export function compileQuery(
  query: Readonly<Record<string, Expression>>,
  place: Place,
): (scope: Scope) => string | undefined {
  const parameters = Object.entries(query).map(
    ([name, value]) => [name, compileMember(value, name, place)] as const,
  );
  return (scope) =>
    flatForm(jsonObjectOf(parameters.map(([name, evaluate]) => [name, evaluate(scope)])), "repeated");
}
