import { randomUUID } from "node:crypto";
import { systemClock } from "./clock.ts";

export type IdPrefix = "acc" | "key" | "call" | "req" | "grant" | "node" | "file" | "msg";

/**
 * A prefixed id of 32 hexadecimal digits, safe in URLs and log lines: 12 of the time in milliseconds, so that what is
 * written together lies together in a database's indexes, then 20 (80 bits) of chance, so that nobody guesses it.
 */
export function newId(prefix: IdPrefix): string {
  const uuid = randomUUID();
  return `${prefix}_${systemClock.now().toString(16).padStart(12, "0")}${uuid.slice(0, 8)}${uuid.slice(24)}`;
}
