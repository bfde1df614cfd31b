import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ceilingMs, leastSpanMs, leastTries, longestWaitMs, nextTryAt } from "./retry-schedule.ts";

const hourMs = 3_600_000;

/** All waits of a message that nobody ever takes. */
function waits(random: () => number, backoffMs = 5_000): readonly number[] {
  const found: number[] = [];
  for (let now = 0; ;) {
    const next = nextTryAt(
      { tries: found.length + 1, firstTriedAt: 0, now, askedMs: 0 },
      { backoffMs, random },
    );
    if (next === undefined) return found;
    found.push(next - now);
    now = next;
  }
}

test("W-02 However the waits fall, a message has at least 8 tries over at least 24 hours and ends within 30.", () => {
  // Above 0.05, so that a run of bad luck that nobody will ever have does not make the test endless.
  const luck = fc.double({ min: 0.05, max: 0.999_999, noNaN: true });
  fc.assert(
    fc.property(fc.infiniteStream(luck), fc.constantFrom(1, 200, 5_000, 60_000), (stream, backoffMs) => {
      const all = waits(() => stream.next().value, backoffMs);
      const span = all.reduce((sum, wait) => sum + wait, 0);
      assert.ok(all.length + 1 >= leastTries, `${all.length + 1} tries`);
      assert.ok(span >= leastSpanMs && span <= leastSpanMs + longestWaitMs, `${span} ms`);
      for (const [index, wait] of all.entries())
        assert.ok(wait >= 0 && wait <= ceilingMs(index + 1, backoffMs), `wait ${index + 1}: ${wait} ms`);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test("W-02 The ceilings are those of the documented table.", () => {
  const seconds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 40].map((tries) => ceilingMs(tries, 5_000) / 1000);
  assert.deepEqual(seconds, [5, 20, 80, 320, 1_280, 5_120, 20_480, 21_600, 21_600, 21_600]);
});

test("W-02 With mean luck a message has about fifteen tries.", () => {
  assert.equal(waits(() => 0.5).length + 1, 15);
});

test("Neither time alone nor tries alone end a message: an outage of ours takes nothing from it.", () => {
  const pace = { backoffMs: 5_000, random: () => 0.5 };
  const late = { firstTriedAt: 0, now: 90 * hourMs, askedMs: 0 };
  assert.ok(nextTryAt({ ...late, tries: 7 }, pace) !== undefined);
  assert.equal(nextTryAt({ ...late, tries: 8 }, pace), undefined);
  assert.ok(nextTryAt({ ...late, tries: 100, now: 24 * hourMs - 1 }, pace) !== undefined);
});

test("What the receiver asks for comes before the usual wait, and is believed up to a day.", () => {
  const failed = { tries: 1, firstTriedAt: 0, now: 1_000 };
  const pace = { backoffMs: 5_000, random: () => 0.5 };
  assert.equal(nextTryAt({ ...failed, askedMs: 60_000 }, pace), 1_000 + 60_000 + 2_500);
  assert.equal(nextTryAt({ ...failed, askedMs: 1e15 }, pace), 1_000 + 24 * hourMs + 2_500);
});
