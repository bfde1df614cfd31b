import { randomUUID } from "node:crypto";

export type IdPrefix = "acc" | "key" | "call" | "req" | "grant" | "node";

/** A prefixed id with 122 random bits: unguessable, safe in URLs and log lines. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomUUID().replaceAll("-", "")}`;
}
