/** The only source of time. */
export type Clock = {
  /** Milliseconds since 1970 (UTC). */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. For waits and windows. */
  monotonic(): number;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** A clock that stands still until it is turned. */
export class TurnableClock implements Clock {
  #elapsed = 0;
  readonly #start: number;

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  turn(by: { readonly seconds?: number; readonly milliseconds?: number }): void {
    this.#elapsed += (by.seconds ?? 0) * 1000 + (by.milliseconds ?? 0);
  }
}
