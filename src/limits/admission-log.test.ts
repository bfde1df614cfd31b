import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AdmissionLog } from "./admission-log.ts";

const windowMs = 1000;

test("the log holds what a plain list holds, through growth, withdrawal and forgetting", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 0, max: 1200 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const log = new AdmissionLog();
      let list: number[] = [];
      let now = 0;
      for (const taken of steps) {
        if ("add" in taken) {
          now += taken.add;
          log.add(now);
          list.push(now);
        } else if ("wait" in taken) {
          now += taken.wait;
          log.forget(now, windowMs);
          list = list.filter((time) => now - time < windowMs);
        } else {
          const time = list[taken.remove % Math.max(1, list.length)] ?? -1;
          log.remove(time);
          if (list.includes(time)) list.splice(list.indexOf(time), 1);
        }
        assert.deepEqual(
          Array.from({ length: log.size }, (_, index) => log.at(index)),
          list,
        );
        assert.equal(log.newest, list.at(-1));
      }
    }),
    { numRuns: 500 },
  );
});

test("the log gives memory back after a burst", () => {
  const log = new AdmissionLog();
  for (let count = 0; count < 100_000; count += 1) log.add(0);
  assert.ok(log.capacity >= 100_000);
  log.add(1);
  log.forget(windowMs, windowMs);
  assert.equal(log.size, 1);
  assert.equal(log.capacity, 8);
  assert.equal(log.newest, 1);
});
