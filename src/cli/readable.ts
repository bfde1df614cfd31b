import type { LimitsAnswer } from "../client/answers.ts";

/** "1523.450000" → "1,523.45": exact, with at least two decimals. */
export function readableCredits(amount: string): string {
  const [whole = "0", fraction = ""] = amount.split(".");
  return `${grouped(whole)}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}

/** 1234567 → "1,234,567". */
export function readableCount(count: number): string {
  return grouped(String(count));
}

/** "2026-11-24T03:41:07.123Z" → "2026-11-24 03:41:07", still UTC. */
export function readableTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

export function readableLimits(limits: LimitsAnswer): string {
  return `${readableCount(limits.requests_per_minute)}/min, ${readableCount(limits.concurrent_requests)} at once`;
}

/** "1 key", "2 keys". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${readableCount(count)} ${count === 1 ? one : many}`;
}

function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}
