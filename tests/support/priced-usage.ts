import { ok } from "./fake-behaviours.ts";
import type { Behaviour, Plan } from "./fake-behaviours.ts";
import type { TestRate } from "./test-catalog.ts";

/** What the fake upstream is to report for a call. */
export type ToldUsage = { readonly fresh: number; readonly cached: number; readonly output: number };

/** A prompt that tells the fake upstream what to report, with as many bytes as it will report tokens. */
export function promptTelling(told: ToldUsage): string {
  return `${JSON.stringify(told)}\n`.padEnd(told.fresh + told.cached, "x");
}

/** Reports the usage that the prompt tells, whatever it really emits: one token unless planned otherwise. */
export function reportsAsTold(plan: Plan = { tokens: 1 }): Behaviour {
  return (call) => {
    const { fresh, cached, output } = toldIn(call.record.bytes.toString());
    return ok({ ...plan, prompt: fresh + cached, cached, completion: output })(call);
  };
}

function toldIn(body: string): ToldUsage {
  const [, fresh, cached, output] =
    /\{\\"fresh\\":(\d+),\\"cached\\":(\d+),\\"output\\":(\d+)\}/.exec(body) ?? [];
  return { fresh: Number(fresh), cached: Number(cached), output: Number(output) };
}

export type UsdPrices = { readonly fresh: string; readonly cached: string; readonly output: string };

/** An offer's price in USD per million tokens. */
export function perMillion({ fresh, cached, output }: UsdPrices): readonly TestRate[] {
  const rate = (meter: string, usd: string): TestRate => ({ meter, per: 1_000_000, usd });
  return [rate("input_tokens", fresh), rate("cache_read_tokens", cached), rate("output_tokens", output)];
}

/**
 * The reference formula, in micro-credits at $0.05 a credit: a nano-dollar per million tokens is 1 / 50,000,000 of a
 * micro-credit per token. Rounded up once.
 */
export function referenceCost(prices: UsdPrices, told: ToldUsage): bigint {
  const parts = (["fresh", "cached", "output"] as const).map(
    (part) => BigInt(told[part]) * nanoUsd(prices[part]),
  );
  const total = parts.reduce((sum, one) => sum + one, 0n);
  const share = 50_000_000n;
  return total / share + (total % share === 0n ? 0n : 1n);
}

function nanoUsd(usd: string): bigint {
  const [whole = "0", decimals = ""] = usd.split(".");
  return BigInt(whole + decimals.padEnd(9, "0"));
}
