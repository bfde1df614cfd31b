import assert from "node:assert/strict";
import { assertRateRefusal } from "./limit-answers.ts";
import type { LimitedAnswer } from "./limit-answers.ts";

/** What the headers must say, kept from what was admitted and when. */
export class ToldMinute {
  readonly limit: number;
  #admitted = 0;
  #first: LimitedAnswer | undefined;
  #newest: LimitedAnswer | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  get isFull(): boolean {
    return this.#admitted === this.limit;
  }

  admitted(answer: LimitedAnswer): void {
    this.#admitted += 1;
    this.#first ??= answer;
    this.#newest = answer;
  }

  check({ told, sentAt, endedAt }: LimitedAnswer): void {
    assert.deepEqual([told.limit, told.remaining], [this.limit, this.limit - this.#admitted]);
    if (this.#newest === undefined) assert.equal(told.resetSeconds, 0);
    else assertSecondsUntilGone(told.resetSeconds, this.#newest, { sentAt, endedAt });
  }

  checkRefusal(answer: LimitedAnswer): void {
    const seconds = assertRateRefusal(answer);
    if (this.#first !== undefined) assertSecondsUntilGone(seconds, this.#first, answer);
  }
}

type Span = Pick<LimitedAnswer, "sentAt" | "endedAt">;

/** A call that was admitted somewhen in its span leaves the window so many seconds after now, up to the whole second. */
function assertSecondsUntilGone(seconds: number, admitted: Span, now: Span): void {
  const earliest = Math.ceil(60 - (now.endedAt - admitted.sentAt) / 1000);
  const latest = Math.min(60, Math.ceil(60 - (now.sentAt - admitted.endedAt) / 1000));
  assert.ok(seconds >= earliest && seconds <= latest, `${seconds} s, want ${earliest} to ${latest}`);
}
