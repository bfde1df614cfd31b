import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Gateway } from "./gateway.ts";
import { isWholePlan } from "./plan-scale.ts";

const idleMs = 400;

/**
 * Asserts that the gateway's event loop serves others while `work` goes on: `/health` is asked again and again, one
 * request at a time, before the work, which says how busy the machine is, and beside it.
 */
export async function staysQuick(gateway: Gateway, work: () => Promise<void>): Promise<void> {
  const { port } = gateway;
  const idle = await healthTimes(port, () => pause(idleMs));
  const times = await healthTimes(port, () => withoutLag(gateway, work));
  const shown = `/health took ${JSON.stringify(times)}, and ${JSON.stringify(idle)} when idle`;
  // A document that costs seconds is seen on any machine.
  assert.ok(times.p95 < 250 + 10 * idle.p95, shown);
  assert.ok(times.worst < 1_000 + 10 * idle.worst, shown);
}

const mostLagMs = 200;
const lookEveryMs = 5_000;

/**
 * Case O-05 of the test plan beside the others: in the whole form the event loop is late by less than 200 ms, as the
 * gateway measures it over windows of 10 to 20 s.
 */
export async function withoutLag(gateway: Gateway, work: () => Promise<void>): Promise<void> {
  if (!isWholePlan) return work();
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await pause(lookEveryMs, undefined, { signal: over.signal }).catch(() => undefined);
      await assertNoLag(gateway);
    }
  };
  await Promise.all([watch(), work().finally(() => over.abort())]);
}

/** The same of the last 10 to 20 s. */
export async function assertNoLag(gateway: Gateway): Promise<void> {
  const { body } = await gateway.admin("GET", "/health");
  const lag = body.event_loop_lag_ms;
  assert.ok(lag.p99_9 < mostLagMs, `the event loop is late: ${JSON.stringify(lag)}`);
}

export type HealthTimes = {
  readonly count: number;
  readonly p95: number;
  readonly p99: number;
  readonly worst: number;
};

/**
 * How long `/health` takes while `work` goes on, in milliseconds; asked from a thread of its own, because this one is
 * busy with the work.
 */
export async function healthTimes(port: number, work: () => Promise<void>): Promise<HealthTimes> {
  const watcher = new Worker(new URL("./health-watcher.ts", import.meta.url), { workerData: port });
  try {
    await once(watcher, "message");
    await work();
    const told = once(watcher, "message");
    watcher.postMessage("enough");
    const [times]: number[][] = await told;
    const sorted = (times ?? []).toSorted((a, b) => a - b);
    return {
      count: sorted.length,
      p95: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      worst: sorted.at(-1) ?? 0,
    };
  } finally {
    await watcher.terminate();
  }
}
