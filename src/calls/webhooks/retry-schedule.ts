/**
 * When a message is tried again that its receiver did not take. Each wait is a random part of a ceiling that grows
 * fourfold, so that messages that failed together do not come back together:
 *
 * | After failed try | Wait, with the usual base of 5 s |
 * | ---------------- | -------------------------------- |
 * | 1                | up to 5 s                        |
 * | 2                | up to 20 s                       |
 * | 3                | up to 1 min 20 s                 |
 * | 4                | up to 5 min 20 s                 |
 * | 5                | up to 21 min 20 s                |
 * | 6                | up to 1 h 25 min                 |
 * | 7                | up to 5 h 41 min                 |
 * | 8 and later      | up to 6 h                        |
 *
 * A message is given up with the first failed try that is both at least the eighth and at least 24 hours after the
 * first, however the waits fall: about fifteen tries as a rule, the last one before 30 hours are over unless the
 * receiver asked for longer waits.
 */
export const leastTries = 8;
export const leastSpanMs = 24 * 3_600_000;
const growth = 4;
export const longestWaitMs = 6 * 3_600_000;
/** `Retry-After` is believed up to this. */
const longestAskedMs = 24 * 3_600_000;

export type FailedTry = {
  /** This one included. */
  readonly tries: number;
  /** Milliseconds since 1970, as all times here. */
  readonly firstTriedAt: number;
  readonly now: number;
  /** What the receiver asked for with `Retry-After`; 0 when it did not. The usual wait comes on top of it. */
  readonly askedMs: number;
};

export type Pace = {
  /** The ceiling of the first wait. */
  readonly backoffMs: number;
  /** 0 ≤ … < 1 */
  readonly random: () => number;
};

/** The time of the next try; undefined when the message is given up. */
export function nextTryAt(failed: FailedTry, { backoffMs, random }: Pace): number | undefined {
  const { tries, firstTriedAt, now, askedMs } = failed;
  if (tries >= leastTries && now - firstTriedAt >= leastSpanMs) return undefined;
  return now + Math.min(askedMs, longestAskedMs) + random() * ceilingMs(tries, backoffMs);
}

/** The longest wait after so many failed tries. */
export function ceilingMs(tries: number, backoffMs: number): number {
  return Math.min(backoffMs * growth ** (tries - 1), longestWaitMs);
}
