import { hash } from "node:crypto";

/** Gives numbers from 0 (included) to 1 (excluded), always the same ones for the same seed. */
export type Random = () => number;

/** 64 hexadecimal digits that stand for a text. */
export function fingerprintOf(text: string): string {
  return hash("sha256", text, "hex");
}

/** A 32-bit generator (xorshift) behind an avalanche step, so that neighbouring seeds do not resemble each other. */
export function randomFrom(fingerprint: string): Random {
  let state = Math.imul(Number.parseInt(fingerprint.slice(0, 8), 16) ^ 0x5bd1e995, 0x2545f491) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** One of the items, or `otherwise` when there are none. */
export function pick<Item>(random: Random, items: readonly Item[], otherwise: Item): Item {
  return items[Math.floor(random() * items.length)] ?? otherwise;
}
