import type { PlanName } from "../core/caller.ts";

export type FileLimits = {
  /** Of one file. */
  readonly maxBytes: number;
  /** How long a file is kept, from the moment it is whole. */
  readonly lifetimeMs: number;
  /** What an account may have uploaded at a time, in each mode. Results of runs are paid for, and count towards it only. */
  readonly room?: FileRoom;
  /** How many uploads of an account may be under way at a time, in each mode: each takes a connection and an open file. */
  readonly atOnce?: number;
};

export type FileRoom = { readonly bytes: number; readonly files: number };

const mebibyte = 1024 * 1024;
const dayMs = 86_400_000;

export const fileLimits: Readonly<Record<PlanName, FileLimits>> = {
  free: {
    maxBytes: 20 * mebibyte,
    lifetimeMs: dayMs,
    room: { bytes: 200 * mebibyte, files: 1_000 },
    atOnce: 10,
  },
  starter: {
    maxBytes: 200 * mebibyte,
    lifetimeMs: 7 * dayMs,
    room: { bytes: 20_480 * mebibyte, files: 10_000 },
    atOnce: 50,
  },
  pro: {
    maxBytes: 2048 * mebibyte,
    lifetimeMs: 30 * dayMs,
    room: { bytes: 204_800 * mebibyte, files: 100_000 },
    atOnce: 200,
  },
};

/** Undefined, for an account that is gone, gets what the smallest plan gets. */
export function fileLimitsOf(plan: PlanName | undefined): FileLimits {
  return fileLimits[plan ?? "free"];
}
