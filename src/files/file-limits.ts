import type { PlanName } from "../core/caller.ts";

export type FileLimits = {
  /** Of one file. */
  readonly maxBytes: number;
  /** How long a file is kept, from the moment it is whole. */
  readonly lifetimeMs: number;
};

const mebibyte = 1024 * 1024;
const dayMs = 86_400_000;

export const fileLimits: Readonly<Record<PlanName, FileLimits>> = {
  free: { maxBytes: 20 * mebibyte, lifetimeMs: dayMs },
  starter: { maxBytes: 200 * mebibyte, lifetimeMs: 7 * dayMs },
  pro: { maxBytes: 2048 * mebibyte, lifetimeMs: 30 * dayMs },
};

/** Undefined, for an account that is gone, gets what the smallest plan gets. */
export function fileLimitsOf(plan: PlanName | undefined): FileLimits {
  return fileLimits[plan ?? "free"];
}
