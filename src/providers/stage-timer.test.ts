import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../core/clock.ts";
import { StageTimer } from "./stage-timer.ts";
import type { UpstreamStage } from "./upstream-failure.ts";

const timeouts = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 20, totalMs: 5_000 };

test("bytes that arrived while the process was busy count before the time that ran out", async () => {
  const stages: UpstreamStage[] = [];
  const timer: StageTimer = new StageTimer(timeouts, systemClock, {
    stalled: false,
    onTimeout: (stage) => stages.push(stage),
  });
  timer.enter("idle");
  const busyUntil = performance.now() + 60;
  // Stands for bytes that wait in the socket: heard after the timers, before the immediates.
  setImmediate(() => {
    timer.touch();
    timer.stop();
  });
  while (performance.now() < busyUntil);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(stages, []);
});

test("delays longer than a system timer can count do not end at once", async () => {
  const stages: UpstreamStage[] = [];
  const long = { connectMs: 1e12, firstByteMs: 1e12, idleMs: 1e12, totalMs: Infinity };
  const timer = new StageTimer(long, systemClock, {
    stalled: false,
    onTimeout: (stage) => stages.push(stage),
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  timer.stop();
  assert.deepEqual(stages, []);
});

test("progress moves the end of a stage, the total stays", async () => {
  const stages: UpstreamStage[] = [];
  const startedAt = performance.now();
  const short = { ...timeouts, idleMs: 60, totalMs: 200 };
  const over = new Promise<void>((resolve) => {
    const timer = new StageTimer(short, systemClock, {
      stalled: false,
      onTimeout: (stage) => {
        stages.push(stage);
        clearInterval(progress);
        resolve();
      },
    });
    timer.enter("idle");
    const progress = setInterval(() => timer.enter("idle"), 15);
  });
  await over;
  assert.deepEqual(stages, ["total"]);
  assert.ok(performance.now() - startedAt >= 198);
});
