import type { Limits } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import { AdmissionLog } from "./admission-log.ts";
import type { Admission, Limiter, LimitState, Ticket } from "./limits.ts";

export const minuteMs = 60_000;

/** Keys looked at per call for having become idle; two, so that the sweep overtakes a flood of new keys. */
const keysSweptPerCall = 2;

/** The limiter of one process. It answers at once, never with a promise. */
export type MemoryLimiter = Pick<Limiter, "stop"> & {
  enter(keyId: string, limits: Limits): Admission;
  peek(keyId: string, limits: Limits): LimitState;
  /** Keys held in memory: those with calls open or in the window, and idle ones not yet swept. */
  readonly keyCount: number;
};

/** Exact limits for one process. Memory is bounded by what was admitted in the last window. */
export function memoryLimiter(clock: Clock, windowMs: number = minuteMs): MemoryLimiter {
  return new LimiterInMemory(clock, windowMs);
}

type Book = { readonly log: AdmissionLog; open: number };

class LimiterInMemory implements MemoryLimiter {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #books = new Map<string, Book>();
  #sweep = this.#books.entries();

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  get keyCount(): number {
    return this.#books.size;
  }

  enter(keyId: string, limits: Limits): Admission {
    const now = this.#clock.monotonic();
    this.#sweepSome(now);
    const book = this.#books.get(keyId) ?? { log: new AdmissionLog(), open: 0 };
    book.log.forget(now, this.#windowMs);
    if (book.log.size >= limits.requestsPerMinute) {
      const retryAfterSeconds = this.#secondsUntilRoom(book.log, { limit: limits.requestsPerMinute, now });
      return {
        allowed: false,
        reason: "rate",
        retryAfterSeconds,
        state: this.#stateOf(book, { limits, now }),
      };
    }
    if (book.open >= limits.concurrentRequests) {
      const state = this.#stateOf(book, { limits, now });
      return { allowed: false, reason: "concurrency", retryAfterSeconds: 1, state };
    }
    if (book.open === 0 && book.log.size === 0) this.#books.set(keyId, book);
    book.log.add(now);
    book.open += 1;
    return {
      allowed: true,
      ticket: new MemoryTicket(book, { now, state: this.#stateOf(book, { limits, now }) }),
    };
  }

  peek(keyId: string, limits: Limits): LimitState {
    const now = this.#clock.monotonic();
    const book = this.#books.get(keyId);
    book?.log.forget(now, this.#windowMs);
    return this.#stateOf(book, { limits, now });
  }

  async stop(): Promise<void> {
    this.#books.clear();
  }

  #stateOf(book: Book | undefined, { limits, now }: { limits: Limits; now: number }): LimitState {
    const newest = book?.log.newest;
    return {
      limit: limits.requestsPerMinute,
      remaining: Math.max(0, limits.requestsPerMinute - (book?.log.size ?? 0)),
      resetSeconds: newest === undefined ? 0 : this.#secondsUntilGone(newest, now),
    };
  }

  /** More than the oldest must leave first when the limit was lowered; a limit of 0 never has room. */
  #secondsUntilRoom(log: AdmissionLog, { limit, now }: { limit: number; now: number }): number {
    const lastToLeave = log.at(log.size - limit) ?? now;
    return Math.max(1, this.#secondsUntilGone(lastToLeave, now));
  }

  #secondsUntilGone(admittedAt: number, now: number): number {
    return Math.ceil((this.#windowMs - (now - admittedAt)) / 1000);
  }

  #sweepSome(now: number): void {
    for (let count = 0; count < keysSweptPerCall; count += 1) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#books.entries();
        return;
      }
      const [keyId, book] = next.value;
      book.log.forget(now, this.#windowMs);
      if (book.open === 0 && book.log.size === 0) this.#books.delete(keyId);
    }
  }
}

class MemoryTicket implements Ticket {
  readonly state: LimitState;
  readonly #admittedAt: number;
  #book: Book | undefined;

  constructor(book: Book, { now, state }: { now: number; state: LimitState }) {
    this.#book = book;
    this.#admittedAt = now;
    this.state = state;
  }

  leave(): void {
    if (this.#book !== undefined) this.#book.open -= 1;
    this.#book = undefined;
  }

  withdraw(): void {
    this.#book?.log.remove(this.#admittedAt);
    this.leave();
  }
}
