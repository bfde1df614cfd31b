/**
 * Work that may still be done for one value, in steps of well under a microsecond. Schemas are written by strangers, and are
 * filled in between the calls of everybody else. Steps are counted, not timed: the same request has the same answer on a
 * busy machine.
 */
export type Effort = { left: number };

const mostSteps = 250_000;
/** Enough for schemas as people write them, however many share. */
const fewestSteps = 10_000;

/** For each of so many values that are made for one request. */
export function freshEffort(shares = 1): Effort {
  return { left: Math.max(mostSteps / shares, fewestSteps) };
}

/** A schema's document, which its references mean, and the work that is left for it. */
export type Ground = { readonly root: unknown; readonly effort: Effort };
