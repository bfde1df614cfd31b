import type { JsonObject } from "../json.ts";
import { between } from "./random.ts";
import type { Random } from "./random.ts";

type Bounds = { readonly low: number; readonly high: number };

/** A number for a schema of type number or integer, near zero where the schema leaves it open. */
export function fillNumber(
  schema: JsonObject,
  how: { readonly isInteger: boolean; readonly random: Random },
): number {
  const { multipleOf } = schema;
  const bounds = boundsOf(schema, how.isInteger);
  if (typeof multipleOf === "number" && multipleOf > 0)
    return multipleIn(insideOf(schema, bounds, multipleOf), multipleOf, how);
  if (how.isInteger) return between(how.random, bounds.low, Math.max(bounds.low, bounds.high));
  return fractionIn(schema, bounds, how.random);
}

function boundsOf(schema: JsonObject, isInteger: boolean): Bounds {
  const low = limitOf(schema, "Minimum", Math.max);
  const high = limitOf(schema, "Maximum", Math.min);
  const from = low ?? (high === undefined ? 0 : Math.min(0, high - 100));
  const to = high ?? Math.max(from + 100, 100);
  if (!isInteger) return { low: from, high: to };
  const least = Math.ceil(from) + (Math.ceil(from) === schema["exclusiveMinimum"] ? 1 : 0);
  const most = Math.floor(to) - (Math.floor(to) === schema["exclusiveMaximum"] ? 1 : 0);
  return { low: least, high: most };
}

function limitOf(
  schema: JsonObject,
  side: "Minimum" | "Maximum",
  stricter: (one: number, other: number) => number,
): number | undefined {
  const open = schema[`exclusive${side}`];
  const closed = schema[side === "Minimum" ? "minimum" : "maximum"];
  if (typeof open === "number" && typeof closed === "number") return stricter(open, closed);
  if (typeof open === "number") return open;
  return typeof closed === "number" ? closed : undefined;
}

/** Bounds that are multiples themselves, and open, are left to the next ones. */
function insideOf(schema: JsonObject, { low, high }: Bounds, step: number): Bounds {
  const isOpenBelow = low === schema["exclusiveMinimum"] && Number.isInteger(low / step);
  const isOpenAbove = high === schema["exclusiveMaximum"] && Number.isInteger(high / step);
  return { low: isOpenBelow ? low + step : low, high: isOpenAbove ? high - step : high };
}

/** Only multiples whose division comes out whole in floating point: 0.3 / 0.1 does not, and validators divide. */
function multipleIn(
  { low, high }: Bounds,
  step: number,
  how: { readonly isInteger: boolean; readonly random: Random },
): number {
  const first = Math.ceil(low / step);
  const last = Math.max(first, Math.floor(high / step));
  const start = between(how.random, first, last);
  const span = Math.min(last - first + 1, 1_000);
  for (let tried = 0; tried < span; tried += 1) {
    const factor = first + ((start - first + tried) % (last - first + 1));
    for (const value of [factor * step, Number((factor * step).toPrecision(12))]) {
      const fits = Number.isInteger(value / step) && value >= low && value <= high;
      if (fits && (!how.isInteger || Number.isInteger(value))) return value === 0 ? 0 : value;
    }
  }
  return first * step;
}

function fractionIn(schema: JsonObject, { low, high }: Bounds, random: Random): number {
  const drawn = low + random() * (high - low);
  const rounded = Math.round(drawn * 100) / 100;
  const isInside =
    rounded >= low &&
    rounded <= high &&
    rounded !== schema["exclusiveMinimum"] &&
    rounded !== schema["exclusiveMaximum"];
  return isInside ? rounded : low + (high - low) / 2;
}
