import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import { watchLoopLag } from "./loop-lag.ts";

test("O-05 a process that was held up says for how long", async () => {
  const watch = watchLoopLag();
  await pause(50);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await pause(50);
  const { p50, p99, p999, max } = watch.read();
  watch.stop();
  assert.ok(max >= 250 && max < 30_000, `${max}`);
  assert.ok(p999 >= 250 && p50 <= p99 && p99 <= p999 && p999 <= max, `${p50} ${p99} ${p999} ${max}`);
});
