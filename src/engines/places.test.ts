import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { Problem } from "../core/problems.ts";
import { Places } from "./places.ts";

const never = new AbortController().signal;

test("no more than the places work at once, and those who wait come in their order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(3), { maxLength: 20 }),
      async (count, turns) => {
        const places = new Places(count, 100);
        let working = 0;
        let most = 0;
        const begun: number[] = [];
        const runs = turns.map((turnsTaken, index) =>
          places.in(never, async () => {
            begun.push(index);
            most = Math.max(most, ++working);
            for (let left = turnsTaken; left > 0; left--) await turn();
            working -= 1;
            if (turnsTaken === 3) throw new Error("work may fail");
          }),
        );
        await Promise.allSettled(runs);
        assert.ok(most <= count);
        assert.deepEqual(
          begun,
          turns.map((_, index) => index),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("who is called off while waiting leaves the queue; the place goes to the next", async () => {
  const places = new Places(1, 2);
  const gone = new AbortController();
  let finish = (): void => undefined;
  const first = places.in(never, () => new Promise<void>((resolve) => (finish = resolve)));
  const second = places.in(gone.signal, () => Promise.reject(new Error("this must not run")));
  const third = places.in(never, () => Promise.resolve("third"));
  await assert.rejects(
    places.in(never, () => Promise.resolve()),
    (error) => error instanceof Problem && error.code === "service_unavailable",
  );
  const reason = new Error("called off");
  gone.abort(reason);
  await assert.rejects(second, reason);
  finish();
  await first;
  assert.equal(await third, "third");
  await assert.rejects(
    places.in(gone.signal, () => Promise.resolve()),
    reason,
  );
});
