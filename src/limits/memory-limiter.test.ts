import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { systemClock, TurnableClock } from "../core/clock.ts";
import { admitted, limiterBattery } from "./limiter-battery.ts";
import { memoryLimiter } from "./memory-limiter.ts";

describe("limits in memory", () => {
  for (const { name, holds } of limiterBattery) {
    test(name, async () => {
      const clock = new TurnableClock();
      await holds({ limiter: memoryLimiter(clock), turn: (milliseconds) => clock.turn({ milliseconds }) });
    });
  }

  test("no window of 60 s ever has more than the limit, and a call with room in it is admitted", () => {
    const gaps = fc.array(
      fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: 8000 }),
        fc.double({ min: 0, max: 30_000, noNaN: true }),
      ),
      {
        maxLength: 300,
      },
    );
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 15 }), (waits, requestsPerMinute) => {
        const clock = new TurnableClock();
        const limiter = memoryLimiter(clock);
        const times: number[] = [];
        for (const milliseconds of waits) {
          clock.turn({ milliseconds });
          const now = clock.monotonic();
          const inWindow = times.filter((time) => now - time < 60_000).length;
          const answer = limiter.enter("key", { requestsPerMinute, concurrentRequests: 1 });
          assert.equal(answer.allowed, inWindow < requestsPerMinute);
          if (!answer.allowed) continue;
          answer.ticket.leave();
          times.push(now);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("L-01 a call comes through when it waits as long as it was told, and not a second earlier", async () => {
    const clock = new TurnableClock();
    const limiter = memoryLimiter(clock);
    const limits = { requestsPerMinute: 2, concurrentRequests: 5 };
    await admitted(limiter, "key", limits);
    clock.turn({ milliseconds: 12_345 });
    await admitted(limiter, "key", limits);
    const refusal = limiter.enter("key", limits);
    assert.ok(!refusal.allowed);
    assert.equal(refusal.retryAfterSeconds, 48);
    assert.equal(refusal.state.resetSeconds, 60);
    clock.turn({ seconds: 47 });
    assert.equal(limiter.enter("key", limits).allowed, false);
    clock.turn({ seconds: 1 });
    assert.equal(limiter.enter("key", limits).allowed, true);
  });

  test("a flood of new keys is forgotten once they are idle", () => {
    const clock = new TurnableClock();
    const limiter = memoryLimiter(clock);
    const limits = { requestsPerMinute: 10, concurrentRequests: 1 };
    const held = limiter.enter("held", limits);
    let most = 0;
    for (let count = 0; count < 200_000; count += 1) {
      clock.turn({ milliseconds: 60 });
      const answer = limiter.enter(`key ${count}`, limits);
      assert.ok(answer.allowed);
      answer.ticket.leave();
      most = Math.max(most, limiter.keyCount);
    }
    // 1,000 of them are in the window at any time.
    assert.ok(most < 5000, `${most} keys were held`);
    assert.ok(held.allowed);
    assert.equal(limiter.enter("held", limits).allowed, false);
    held.ticket.leave();
    assert.equal(limiter.enter("held", limits).allowed, true);
  });

  test("a refused or unknown key leaves nothing behind", () => {
    const limiter = memoryLimiter(new TurnableClock());
    limiter.enter("refused", { requestsPerMinute: 0, concurrentRequests: 1 });
    limiter.peek("unknown", { requestsPerMinute: 5, concurrentRequests: 1 });
    assert.equal(limiter.keyCount, 0);
  });

  for (const requestsPerMinute of [10, 1_000_000]) {
    // 0.15 µs is the norm; the bound is wide because other work shares the machine.
    test(`a decision at ${requestsPerMinute} requests per minute takes at most a few microseconds`, () => {
      const limiter = memoryLimiter(systemClock);
      const limits = { requestsPerMinute, concurrentRequests: 10 };
      const calls = 500_000;
      const start = performance.now();
      for (let count = 0; count < calls; count += 1) {
        const answer = limiter.enter("key", limits);
        if (answer.allowed) answer.ticket.leave();
      }
      const each = ((performance.now() - start) * 1000) / calls;
      assert.ok(each < 5, `${each} µs each`);
    });
  }
});
