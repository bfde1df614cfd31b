/** Micro-credits (10⁻⁶ credit), exact. Never a float: all arithmetic on money is bigint arithmetic. */
export type Credits = bigint;

export const microPerCredit = 1_000_000n;

const decimalForm = /^(\d{1,12})(?:\.(\d{1,6}))?$/;

/** Reads a non-negative decimal such as "25.00"; undefined when it has another form or more than 6 decimals. */
export function parseCredits(text: string): Credits | undefined {
  const parts = decimalForm.exec(text);
  if (parts === null) return undefined;
  const [, whole = "0", fraction = ""] = parts;
  return BigInt(whole) * microPerCredit + BigInt(fraction.padEnd(6, "0"));
}

/** All six decimals, as APIs print amounts: `1523450000n` is "1523.450000". */
export function formatCredits(amount: Credits): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(7, "0");
  return `${amount < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** The shortest exact JSON number: `1523450000n` is `1523.45`, without a float on the way. */
export function creditsAsJsonNumber(amount: Credits): string {
  return formatCredits(amount).replace(/\.?0+$/, "");
}
