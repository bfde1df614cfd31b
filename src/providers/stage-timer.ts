import type { Clock } from "../core/clock.ts";
import type { UpstreamStage } from "./upstream-failure.ts";

export type UpstreamTimeouts = {
  /** Until the request is on an open connection, waiting for a free one included. */
  readonly connectMs: number;
  /** From then until the first byte of the body, or its end. */
  readonly firstByteMs: number;
  /** Between two pieces of the body. */
  readonly idleMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
};

export type TimedExchange = { readonly stalled: boolean; onTimeout(stage: UpstreamStage): void };

/** The longest delay of `setTimeout`; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

/**
 * One system timer for all stages of an exchange. Progress only notes the time; the timer looks when it fires and
 * sleeps again for what is left, so a stage ends at most a few milliseconds late and a chunk costs no timer.
 */
export class StageTimer {
  stage: UpstreamStage = "connect";
  readonly #timeouts: UpstreamTimeouts;
  readonly #clock: Clock;
  readonly #exchange: TimedExchange;
  readonly #endsAt: number;
  #stageMs: number;
  #progressAt: number;
  #firesAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Expired once already, and what had arrived by then has been heard since. */
  #heardAll = false;
  #stopped = false;

  constructor(timeouts: UpstreamTimeouts, clock: Clock, exchange: TimedExchange) {
    this.#timeouts = timeouts;
    this.#clock = clock;
    this.#exchange = exchange;
    this.#progressAt = clock.monotonic();
    this.#endsAt = this.#progressAt + timeouts.totalMs;
    this.#stageMs = timeouts.connectMs;
    this.#sleep(this.#progressAt, Math.min(this.#progressAt + this.#stageMs, this.#endsAt));
  }

  /** A stage begins, or made progress if it was on already. */
  enter(stage: "first_byte" | "idle"): void {
    this.#progressAt = this.#clock.monotonic();
    if (this.stage === stage) return;
    this.stage = stage;
    this.#stageMs = stage === "idle" ? this.#timeouts.idleMs : this.#timeouts.firstByteMs;
    const dueAt = Math.min(this.#progressAt + this.#stageMs, this.#endsAt);
    if (dueAt < this.#firesAt) this.#sleep(this.#progressAt, dueAt);
  }

  touch(): void {
    this.#progressAt = this.#clock.monotonic();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #sleep(now: number, until: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = until;
    this.#heardAll = false;
    this.#timer = setTimeout(wake, Math.min(Math.ceil(until - now), longestDelayMs), this);
  }

  /** A millisecond of tolerance: `setTimeout` counts in whole ones. */
  wake(): void {
    if (this.#stopped) return;
    const now = this.#clock.monotonic();
    if (now >= this.#endsAt - 1) {
      this.#exchange.onTimeout("total");
      return;
    }
    if (this.#exchange.stalled) this.#progressAt = now;
    const dueAt = this.#progressAt + this.#stageMs;
    if (now < dueAt - 1) {
      this.#sleep(now, Math.min(dueAt, this.#endsAt));
    } else if (this.#heardAll) {
      this.#exchange.onTimeout(this.stage);
    } else {
      // After a blocked event loop timers come before the bytes that have long arrived: those are heard first.
      this.#heardAll = true;
      setImmediate(wake, this);
    }
  }
}

function wake(timer: StageTimer): void {
  timer.wake();
}
