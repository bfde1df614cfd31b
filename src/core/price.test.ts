import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { costInUsd, costOf, nanoUsd, UnpricedMeter } from "./price.ts";
import type { Price } from "./price.ts";

/** 2.5 µcr per input token, 0.25 per cached one, 10 per output token, at $0.05 a credit. */
const planPrice: Price = [
  { meter: "input_tokens", per: 1_000_000, usd: "0.125" },
  { meter: "cache_read_tokens", per: 1_000_000, usd: "0.0125" },
  { meter: "output_tokens", per: 1_000_000, usd: "0.5" },
];

test("C-01 a cost is the exact sum of its meters, rounded up once", () => {
  const tokens = fc.nat(1_000_000);
  fc.assert(
    fc.property(tokens, tokens, tokens, (uncached, cached, output) => {
      const usage = { input_tokens: uncached, cache_read_tokens: cached, output_tokens: output };
      const quarters = 10n * BigInt(uncached) + BigInt(cached) + 40n * BigInt(output);
      assert.equal(costOf(planPrice, usage, "0.05"), (quarters + 3n) / 4n);
    }),
  );
});

/** The definition itself, in fractions of one common denominator. */
function exactCost(price: Price, usage: Readonly<Record<string, number>>, creditUsd: string): bigint {
  const denominator = price.reduce((product, rate) => product * BigInt(rate.per), 1n);
  const numerator = price.reduce((sum, { meter, per, usd }) => {
    return sum + (BigInt(usage[meter] ?? 0) * nanoUsd(usd) * denominator) / BigInt(per);
  }, 0n);
  const divisor = denominator * nanoUsd(creditUsd);
  return (numerator * 1_000_000n + divisor - 1n) / divisor;
}

test("C-01 a cost is exact at every size of quantities, rates, units and credits", () => {
  const quantity = fc.oneof(fc.nat(3), fc.nat(2_000_000), fc.nat(1_000_000_000), fc.maxSafeNat());
  const usd = fc.oneof(
    fc.constantFrom(
      "0",
      "0.15",
      "0.000000001",
      "999999999.999999999",
      "9007199.254740991",
      "9007199.254740993",
    ),
    fc.nat(99_999_999).map((nano) => `0.${String(nano).padStart(9, "0")}`),
  );
  const per = fc.constantFrom(1, 7, 60, 1_000, 64_000, 1_000_000, 1_000_000_000);
  const credit = fc.constantFrom("0.05", "0.01", "1", "0.000000001", "0.000000007", "999999999.999999999");
  const names = ["input_tokens", "output_tokens", "images"] as const;
  const rates = fc.tuple(fc.record({ usd, per }), fc.record({ usd, per }), fc.record({ usd, per }));
  fc.assert(
    fc.property(rates, fc.tuple(quantity, quantity, quantity), credit, (all, quantities, creditUsd) => {
      const price = all.map((rate, index) => ({ meter: names[index] ?? "images", ...rate }));
      const usage = Object.fromEntries(names.map((name, index) => [name, quantities[index] ?? 0]));
      assert.equal(costOf(price, usage, creditUsd), exactCost(price, usage, creditUsd));
    }),
    { numRuns: 3_000 },
  );
});

test("a cost with rates of different units is exact", () => {
  const price: Price = [
    { meter: "images", per: 1, usd: "0.1" },
    { meter: "chars", per: 1000, usd: "0.18" },
    { meter: "output_tokens", per: 7, usd: "0.000000001" },
  ];
  // 3 images are 6 credits, 1,500 characters 5.4; the last meter adds a sliver that rounds up.
  assert.equal(costOf(price, { images: 3, chars: 1500 }, "0.05"), 11_400_000n);
  assert.equal(costOf(price, { images: 3, chars: 1500, output_tokens: 1 }, "0.05"), 11_400_001n);
});

test("a used meter without a price is refused, an unused one is not", () => {
  assert.throws(() => costOf(planPrice, { images: 1 }, "0.05"), UnpricedMeter);
  assert.equal(costOf(planPrice, { images: 0, output_tokens: 1 }, "0.05"), 10n);
});

test("above a long-context threshold every token costs the higher rate, cached input counting towards it", () => {
  const price: Price = [
    { meter: "input_tokens", per: 1_000_000, usd: "1.25" },
    { meter: "input_tokens", per: 1_000_000, usd: "2.5", when: { input_tokens_gt: 200_000 } },
    { meter: "cache_read_tokens", per: 1_000_000, usd: "0.1" },
    { meter: "output_tokens", per: 1_000_000, usd: "10" },
    { meter: "output_tokens", per: 1_000_000, usd: "15", when: { input_tokens_gt: 200_000 } },
  ];
  const below = { input_tokens: 200_000, output_tokens: 1000 };
  const above = { input_tokens: 100_000, cache_read_tokens: 100_001, output_tokens: 1000 };
  assert.equal(costInUsd(costOf(price, below, "0.05"), "0.05"), "0.260000");
  assert.equal(costInUsd(costOf(price, above, "0.05"), "0.05"), "0.275000");
});

test("more usage never costs less", () => {
  const tokens = fc.nat(10_000_000);
  fc.assert(
    fc.property(tokens, tokens, tokens, (input, output, more) => {
      const less = costOf(planPrice, { input_tokens: input, output_tokens: output }, "0.05");
      assert.ok(costOf(planPrice, { input_tokens: input + more, output_tokens: output }, "0.05") >= less);
      assert.ok(costOf(planPrice, { input_tokens: input, output_tokens: output + more }, "0.05") >= less);
    }),
  );
});

test("a price with more than nine decimals, a sign or an exponent is refused", () => {
  for (const text of ["0.0000000001", "-1", "1e-7", "", "1.", ".5", "NaN"])
    assert.throws(() => nanoUsd(text), RangeError, text);
});
