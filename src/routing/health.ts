import type { Clock } from "../core/clock.ts";

/** How long a failure is remembered when the provider did not say. */
export const restMs = 5_000;
/** A provider may ask for a longer rest, but not for ever. */
const longestRestMs = 60_000;

/** Which offers failed a moment ago. Reorders offers, never refuses the last one. */
export type Health = {
  resting(offerKey: string): boolean;
  failed(offerKey: string, retryAfterSeconds?: number): void;
  answered(offerKey: string): void;
};

export function healthOf(clock: Clock): Health {
  const restingUntil = new Map<string, number>();
  return {
    // Mostly none rests, and then no name has to be looked up.
    resting: (offerKey) => restingUntil.size > 0 && (restingUntil.get(offerKey) ?? 0) > clock.monotonic(),
    failed(offerKey, retryAfterSeconds) {
      const askedMs = (retryAfterSeconds ?? 0) * 1000;
      restingUntil.set(offerKey, clock.monotonic() + Math.min(Math.max(restMs, askedMs), longestRestMs));
    },
    answered(offerKey) {
      if (restingUntil.size > 0) restingUntil.delete(offerKey);
    },
  };
}

/** For the sandbox, which fails only when ordered to: each call has the same answer, whatever was ordered before. */
export const neverResting: Health = {
  resting: () => false,
  failed: () => undefined,
  answered: () => undefined,
};
