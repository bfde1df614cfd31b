import type { Credits } from "./credits.ts";
import type { Meter, Usage } from "./usage.ts";

/** One priced meter: `usd` (decimal string) per `per` units, when all conditions of `when` hold. */
export type Rate = {
  readonly meter: Meter;
  readonly per: number;
  readonly usd: string;
  readonly when?: { readonly input_tokens_gt?: number };
};

export type Price = readonly Rate[];

const usdDecimals = 9;

/** Price texts that were read before: a catalog has a few hundred of them, and every call reads some. */
const known = new Map<string, bigint>();
const mostKnown = 10_000;

/** USD as an integer of 10⁻⁹ dollars. More than nine decimals are a fault of the data. */
export function nanoUsd(usd: string): bigint {
  const before = known.get(usd);
  if (before !== undefined) return before;
  const parts = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(usd);
  if (parts === null) throw new RangeError(`not a price in USD with at most ${usdDecimals} decimals: ${usd}`);
  const [, whole = "0", fraction = ""] = parts;
  const nano = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(usdDecimals, "0"));
  if (known.size < mostKnown) known.set(usd, nano);
  return nano;
}

/**
 * What the usage costs in micro-credits: exact, pure, rounded up once for the whole call.
 * Of one meter the rate with the most conditions that hold wins, the dearer on a tie. Throws `UnpricedMeter`
 * for a used meter without a rate: nothing is ever free by omission.
 */
export function costOf(price: Price, usage: Usage, creditUsd: string): Credits {
  return costInDoubles(price, usage, creditUsd) ?? costInFractions(price, usage, creditUsd);
}

const microPerUnit = 1_000_000;

/**
 * The usual case: whole quantities at rates per a divisor of a million, and sums that a double still counts one by one.
 * Undefined for all else, also for what is refused.
 */
function costInDoubles(price: Price, usage: Usage, creditUsd: string): Credits | undefined {
  // Of 10⁻⁹ dollars times micro-credits per credit.
  let sum = 0;
  for (const meter of Object.keys(usage) as Meter[]) {
    const quantity = usage[meter];
    if (quantity === 0) continue;
    if (quantity === undefined || !isCount(quantity)) return undefined;
    const rate = rateOf(price, meter, usage);
    if (rate === undefined || !isCount(rate.per) || microPerUnit % rate.per !== 0) return undefined;
    sum += quantity * Number(nanoUsd(rate.usd)) * (microPerUnit / rate.per);
  }
  const credit = Number(nanoUsd(creditUsd));
  // What was rounded on the way lies above: no term of a sum within the bound was.
  if (sum > Number.MAX_SAFE_INTEGER || !isCount(credit)) return undefined;
  const remainder = sum % credit;
  return BigInt((sum - remainder) / credit + (remainder > 0 ? 1 : 0));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function costInFractions(price: Price, usage: Usage, creditUsd: string): Credits {
  let numerator = 0n;
  let denominator = 1n;
  for (const [meter, quantity] of Object.entries(usage) as [Meter, number][]) {
    if (quantity === 0) continue;
    const rate = rateOf(price, meter, usage);
    if (rate === undefined) throw new UnpricedMeter(meter);
    const isWhole = Number.isInteger(quantity);
    const per = isWhole ? BigInt(rate.per) : BigInt(rate.per) * partsPerUnit;
    const parts = isWhole ? BigInt(quantity) : partsOf(quantity);
    numerator = numerator * per + parts * nanoUsd(rate.usd) * denominator;
    denominator *= per;
  }
  const divisor = denominator * nanoUsd(creditUsd);
  return (numerator * 1_000_000n + divisor - 1n) / divisor;
}

const partsPerUnit = 1_000_000n;

/** A quantity such as 3.2 seconds counts to the millionth, rounded up. */
function partsOf(quantity: number): bigint {
  return BigInt(Math.ceil(Number((quantity * Number(partsPerUnit)).toFixed(3))));
}

/** The rate that applies to a meter at this usage, if the price has one. */
export function rateOf(price: Price, meter: Meter, usage: Usage): Rate | undefined {
  const inputTokens =
    (usage.input_tokens ?? 0) + (usage.cache_read_tokens ?? 0) + (usage.cache_write_tokens ?? 0);
  let best: Rate | undefined;
  for (const rate of price) {
    if (rate.meter !== meter) continue;
    const threshold = rate.when?.input_tokens_gt;
    if (threshold !== undefined && inputTokens <= threshold) continue;
    if (best === undefined || beats(rate, best)) best = rate;
  }
  return best;
}

function beats(rate: Rate, best: Rate): boolean {
  const more = Object.keys(rate.when ?? {}).length - Object.keys(best.when ?? {}).length;
  return more !== 0 ? more > 0 : nanoUsd(rate.usd) * BigInt(best.per) > nanoUsd(best.usd) * BigInt(rate.per);
}

/** A meter was used that the price does not name. The call is refused, never given away. */
export class UnpricedMeter extends Error {
  readonly meter: Meter;
  constructor(meter: Meter) {
    super(`no price for ${meter}`);
    this.meter = meter;
  }
}

/** What credits are worth in USD, cut to six decimals: for people to read, never to charge by. */
export function costInUsd(amount: Credits, creditUsd: string): string {
  const microUsd = (amount * nanoUsd(creditUsd)) / 1_000_000_000n;
  return `${microUsd / 1_000_000n}.${(microUsd % 1_000_000n).toString().padStart(6, "0")}`;
}

/** The same as a number, to the last digit: the smallest charge is seen as well. */
export function exactUsd(amount: Credits, creditUsd: string): number {
  const parts = (amount * nanoUsd(creditUsd)).toString().padStart(16, "0");
  return Number(`${parts.slice(0, -15)}.${parts.slice(-15)}`);
}
