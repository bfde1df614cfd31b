import type { Query } from "./door.ts";
import { Problem } from "../core/problems.ts";

/** The value of a parameter that takes only these; undefined when it is not there. */
export function valueIn<Value extends string>(
  query: Query,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = values.find((one) => one === text);
  if (value === undefined) throw wantOneOf(name, values);
  return value;
}

/** The parts of a list with commas, each one of these values. */
export function listIn(query: Query, name: string, values: readonly string[]): readonly string[] {
  const parts = partsOf(query.get(name));
  if (parts.some((part) => !values.includes(part))) throw wantOneOf(name, values);
  return parts;
}

export function partsOf(text: string | null): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function wantOneOf(param: string, values: readonly string[]): Problem {
  return new Problem("invalid_request", { param, message: `${param}: want one of ${values.join(", ")}` });
}

/**
 * Refuses a parameter that is one slip away from a known one: ignoring it would answer another question. All other unknown
 * parameters are ignored, since clients send such of their own.
 */
export function refuseSlips(query: Query, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (known.includes(name)) continue;
    const meant = known.find((one) => isOneSlip(name.toLowerCase(), one));
    if (meant === undefined) continue;
    const message = `${name}: there is no such parameter; did you mean ${meant}?`;
    throw new Problem("invalid_request", { param: name, message });
  }
}

/** One letter too many, too few or wrong, or two in the wrong order. */
function isOneSlip(given: string, meant: string): boolean {
  const shorter = Math.min(given.length, meant.length);
  let start = 0;
  while (start < shorter && given[start] === meant[start]) start += 1;
  let end = 0;
  while (end < shorter - start && given.at(-1 - end) === meant.at(-1 - end)) end += 1;
  const [left, right] = [given.slice(start, given.length - end), meant.slice(start, meant.length - end)];
  const isSwap = left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
  return isSwap || Math.max(left.length, right.length) <= 1;
}
