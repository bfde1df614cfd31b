import { isJsonObject } from "../../core/json-object.ts";
import { ofMany, ofOne, ofPair } from "./operator-forms.ts";
import type { Operators } from "./operator-forms.ts";

/** Texts are no numbers here without `$num`, and an operand that is no number makes the result missing. */
export const numberOperators: Operators = {
  $add: ofMany((values) => folded(values, 0, (sum, one) => sum + one)),
  $sub: ofPair((one, other) => calculated(one, other, (minuend, less) => minuend - less)),
  $mul: ofMany((values) => folded(values, 1, (product, one) => product * one)),
  $div: ofPair((one, other) => calculated(one, other, (dividend, by) => dividend / by)),
  $ceil: ofOne((value) => (typeof value === "number" ? finite(Math.ceil(value)) : undefined)),
  /** Missing for an empty list. */
  $max: ofMany((values) => folded(values, -Infinity, (most, one) => Math.max(most, one))),
  $min: ofMany((values) => folded(values, Infinity, (least, one) => Math.min(least, one))),
  /** A number, or the one that a text begins with: 5 for "5s". */
  $num: ofOne(leadingNumber),
  /** Items of a list, characters of a text (code points), members of an object; missing for a missing value. */
  $len: ofOne(lengthOf),
  /** Bytes of a text in UTF-8; no text has more tokens. */
  $bytes: ofOne((value) => (typeof value === "string" ? Buffer.byteLength(value) : undefined)),
  /** Seconds told as a number, "5s", "00:01:05", "1:05.5" or "PT1M5S". */
  $seconds: ofOne(secondsOf),
};

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function calculated(
  one: unknown,
  other: unknown,
  apply: (one: number, other: number) => number,
): number | undefined {
  return typeof one === "number" && typeof other === "number" ? finite(apply(one, other)) : undefined;
}

function folded(
  values: Iterable<unknown>,
  start: number,
  apply: (so: number, one: number) => number,
): number | undefined {
  let result = start;
  for (const value of values) {
    if (typeof value !== "number") return undefined;
    result = apply(result, value);
  }
  return finite(result);
}

const mostDigits = 64;

export function leadingNumber(value: unknown): number | undefined {
  if (typeof value === "number") return finite(value);
  if (typeof value !== "string") return undefined;
  const [digits] = /^\s*[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?/i.exec(value.slice(0, mostDigits)) ?? [];
  return digits === undefined ? undefined : finite(Number(digits));
}

function lengthOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  if (typeof value === "string") return value.length - pairsIn(value);
  return isJsonObject(value) ? Object.keys(value).length : undefined;
}

/** Characters that take two places in a string. */
function pairsIn(text: string): number {
  return text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0;
}

const clock = /^(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)$/;
const isoNumber = String.raw`(\d{1,9}(?:\.\d{1,9})?)`;
const isoDuration = new RegExp(
  `^P(?:${isoNumber}D)?(?:T(?:${isoNumber}H)?(?:${isoNumber}M)?(?:${isoNumber}S)?)?$`,
);
const plainSeconds = /^\d{1,9}(?:\.\d{1,9})?\s?s?$/;

function secondsOf(value: unknown): number | undefined {
  if (typeof value === "number") return finite(value);
  if (typeof value !== "string" || value.length > mostDigits) return undefined;
  const text = value.trim();
  if (plainSeconds.test(text)) return leadingNumber(text);
  const [, hours = "0", minutes = "0", seconds] = clock.exec(text) ?? [];
  return seconds === undefined
    ? isoSeconds(text)
    : Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

const secondsPerPart = [86_400, 3_600, 60, 1];

function isoSeconds(text: string): number | undefined {
  const parts = isoDuration.exec(text)?.slice(1) ?? [];
  // "P" and "PT" alone tell nothing.
  if (parts.every((part: string | undefined) => part === undefined)) return undefined;
  return secondsPerPart.reduce((sum, seconds, index) => sum + seconds * Number(parts[index] ?? 0), 0);
}
