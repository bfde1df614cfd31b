import type { Limits } from "../core/caller.ts";
import type { Admission, LimitState } from "./limits.ts";

/** What Redis decided about one call. `admittedAt` is the entry in the window, for taking it back. */
export type Verdict =
  | { readonly allowed: true; readonly admittedAt: string; readonly state: LimitState }
  | Extract<Admission, { allowed: false }>;

/** Reads the answer of the script `enter`. */
export function readVerdict(answer: unknown, limits: Limits): Verdict {
  if (!Array.isArray(answer)) throw new TypeError("Redis answered an entry with something else than a list");
  const [verdict, admissions, microsUntilEmpty, last]: unknown[] = answer;
  const state = readPeek([admissions, microsUntilEmpty], limits);
  if (verdict === "allowed") return { allowed: true, admittedAt: String(last), state };
  if (verdict !== "rate" && verdict !== "concurrency")
    throw new TypeError("Redis answered an unknown verdict");
  const retryAfterSeconds = Math.max(1, Math.ceil(Number(last) / 1e6));
  return { allowed: false, reason: verdict, retryAfterSeconds, state };
}

/** Reads the answer of the script `peek`. */
export function readPeek(answer: unknown, limits: Limits): LimitState {
  if (!Array.isArray(answer)) throw new TypeError("Redis answered a look with something else than a list");
  const [admissions, microsUntilEmpty] = answer.map(Number);
  const limit = limits.requestsPerMinute;
  return {
    limit,
    remaining: Math.max(0, limit - (admissions ?? 0)),
    resetSeconds: Math.ceil((microsUntilEmpty ?? 0) / 1e6),
  };
}
