import assert from "node:assert/strict";
import fc from "fast-check";
import type { Limits } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import type { Admission, Limiter, LimitState, Ticket } from "./limits.ts";

/** Where the limiter under test lives. `turn` moves its clock; undefined where time cannot be turned. */
export type Home = { readonly limiter: Limiter; readonly turn: ((milliseconds: number) => void) | undefined };

type Step =
  | { readonly act: "enter"; readonly limits: Limits }
  | { readonly act: "peek"; readonly limits: Limits }
  | { readonly act: "leave" | "withdraw"; readonly which: number }
  | { readonly act: "wait"; readonly milliseconds: number };

const limitsOfAnySize = fc.record({
  requestsPerMinute: fc.integer({ min: 0, max: 12 }),
  concurrentRequests: fc.integer({ min: 0, max: 6 }),
});

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant("enter" as const), limits: limitsOfAnySize }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("peek" as const), limits: limitsOfAnySize }) },
    {
      weight: 3,
      arbitrary: fc.record({ act: fc.constantFrom("leave" as const, "withdraw" as const), which: fc.nat() }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant("wait" as const),
        milliseconds: fc.oneof(fc.integer({ min: 0, max: 25_000 }), fc.constantFrom(1, 999, 59_999, 60_000)),
      }),
    },
  ),
  { maxLength: 60 },
);

/** Random lives of a key, each answer compared with a list of admissions that is counted afresh every time. */
export async function agreesWithTheModel(home: Home, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async (life) => {
      const run = new Run(home);
      for (const step of life) await run.take(step);
    }),
    { numRuns: runs },
  );
}

type Admitted = { readonly at: number; readonly ticket: Ticket; counts: boolean; isOpen: boolean };

class Run {
  readonly #home: Home;
  readonly #keyId = newId("key");
  readonly #admitted: Admitted[] = [];
  #now = 0;

  constructor(home: Home) {
    this.#home = home;
  }

  async take(step: Step): Promise<void> {
    if (step.act === "wait") {
      if (this.#home.turn === undefined) return;
      this.#home.turn(step.milliseconds);
      this.#now += step.milliseconds;
    } else if (step.act === "enter") this.#checkEntry(await this.#enter(step.limits), step.limits);
    else if (step.act === "peek") {
      this.#checkState(await this.#home.limiter.peek(this.#keyId, step.limits), step.limits);
    } else if (this.#admitted.length > 0) this.#end(step.act, step.which % this.#admitted.length);
  }

  async #enter(limits: Limits): Promise<Admission> {
    return this.#home.limiter.enter(this.#keyId, limits);
  }

  #checkEntry(answer: Admission, limits: Limits): void {
    const expected = this.#expected(limits);
    assert.equal(answer.allowed ? "allowed" : answer.reason, expected);
    if (answer.allowed) {
      this.#admitted.push({ at: this.#now, ticket: answer.ticket, counts: true, isOpen: true });
      this.#checkState(answer.ticket.state, limits);
      return;
    }
    this.#checkState(answer.state, limits);
    const seconds = expected === "rate" ? this.#secondsUntil((count) => count < limits.requestsPerMinute) : 1;
    this.#checkSeconds(answer.retryAfterSeconds, Math.max(1, seconds));
  }

  #checkState(state: LimitState, { requestsPerMinute }: Limits): void {
    assert.equal(state.limit, requestsPerMinute);
    assert.equal(state.remaining, Math.max(0, requestsPerMinute - this.#countAt(this.#now)));
    this.#checkSeconds(
      state.resetSeconds,
      this.#secondsUntil((count) => count === 0),
    );
  }

  /** Where time passes by itself, up to a few seconds may have gone since the entry that is waited for. */
  #checkSeconds(actual: number, expected: number): void {
    assert.ok(Number.isInteger(actual) && actual >= 0 && actual <= 60, `${actual} s`);
    if (this.#home.turn !== undefined) assert.equal(actual, expected);
    else assert.equal(actual > 0, expected > 0);
  }

  #end(act: "leave" | "withdraw", index: number): void {
    const call = this.#admitted[index];
    if (call === undefined) return;
    call.ticket[act]();
    if (call.isOpen && act === "withdraw") call.counts = false;
    call.isOpen = false;
  }

  #expected(limits: Limits): "allowed" | "rate" | "concurrency" {
    if (this.#countAt(this.#now) >= limits.requestsPerMinute) return "rate";
    const open = this.#admitted.filter((call) => call.isOpen).length;
    return open >= limits.concurrentRequests ? "concurrency" : "allowed";
  }

  #countAt(time: number): number {
    return this.#admitted.filter((call) => call.counts && time - call.at < 60_000).length;
  }

  #secondsUntil(holds: (count: number) => boolean): number {
    for (let seconds = 0; seconds < 60; seconds += 1) {
      if (holds(this.#countAt(this.#now + seconds * 1000))) return seconds;
    }
    return 60;
  }
}
