import type { Limits } from "../core/caller.ts";

/** What the limit headers say. */
export type LimitState = {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until `remaining` is at its full value again; 0 when it is. */
  readonly resetSeconds: number;
};

/** One admitted call. Exactly one of the two ends it; a second end does nothing. */
export type Ticket = {
  readonly state: LimitState;
  /** The call is over: its place among the concurrent calls is free. */
  leave(): void;
  /** The call was refused after all: gives back the place in the minute too. */
  withdraw(): void;
};

export type Admission =
  | { readonly allowed: true; readonly ticket: Ticket }
  | {
      readonly allowed: false;
      readonly reason: "rate" | "concurrency";
      /** Whole seconds, at least 1, at most 60. */
      readonly retryAfterSeconds: number;
      readonly state: LimitState;
    };

/**
 * Requests per minute and concurrent calls per key, decided together. Promises: in any sliding 60 s window at most
 * `requestsPerMinute` calls of a key are admitted; at any instant at most `concurrentRequests` are open; a refused
 * call uses up neither.
 */
export type Limiter = {
  enter(keyId: string, limits: Limits): Promise<Admission> | Admission;
  /** The state without entering. */
  peek(keyId: string, limits: Limits): Promise<LimitState> | LimitState;
  stop(): Promise<void>;
};
