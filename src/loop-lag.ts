import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LoopLag } from "./http/admin-health.ts";

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

const resolutionMs = 10;
const windowMs = 10_000;

export type LagWatch = { read(): LoopLag; stop(): void };

/** How late this process is for what is due, over the last 10 to 20 seconds: two windows that take turns. */
export function watchLoopLag(): LagWatch {
  let [older, newer] = [started(), started()];
  const timer = setInterval(() => {
    older.disable();
    [older, newer] = [newer, started()];
  }, windowMs);
  timer.unref();
  const worst = (of: (histogram: Histogram) => number): number =>
    Math.max(lateMs(of(older)), lateMs(of(newer)));
  return {
    read: () => ({
      p50: worst((one) => one.percentile(50)),
      p99: worst((one) => one.percentile(99)),
      p999: worst((one) => one.percentile(99.9)),
      max: worst((one) => one.max),
    }),
    stop() {
      clearInterval(timer);
      older.disable();
      newer.disable();
    },
  };
}

function started(): Histogram {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return histogram;
}

/** The histogram has the time between two looks, in nanoseconds; what is beyond the pause is delay. */
function lateMs(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 10_000) / 100 - resolutionMs);
}
