/**
 * Runs beside the work in a worker's process, and ends the process when it has grown too large, or when nobody is there
 * any more who would wait for it. The work itself may be busy and cannot be asked.
 */
import { workerData } from "node:worker_threads";
import type { WatchOrder } from "./worker-pool-messages.ts";

const lookEveryMs = 50;
const bytesPerMb = 1024 * 1024;

const { maxMemoryMb, parentPid } = workerData as WatchOrder;

setInterval(() => {
  if (process.memoryUsage.rss() > maxMemoryMb * bytesPerMb || process.ppid !== parentPid)
    process.kill(process.pid, "SIGKILL");
}, lookEveryMs);
