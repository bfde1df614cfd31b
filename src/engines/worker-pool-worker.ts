/** A worker of the pool, a process of its own: one order after the other, each answered once. */
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { Problem } from "../core/problems.ts";
import type { WatchOrder, WorkerAnswer, WorkerOrder } from "./worker-pool-messages.ts";

const watch: WatchOrder = { maxMemoryMb: Number(process.argv[2]), parentPid: process.ppid };
new Worker(new URL("./worker-pool-watch.ts", import.meta.url), { workerData: watch, env: {} }).unref();

// What a library leaves behind unawaited must not end the worker under the task that comes next.
process.on("unhandledRejection", () => {});
// Sent from a terminal to all processes at once, while the parent lets its tasks come to an end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());

process.on("message", (order: WorkerOrder) => {
  void answerTo(order).then((answer) => send(answer));
});

async function answerTo({ href, input }: WorkerOrder): Promise<WorkerAnswer> {
  try {
    const { work } = (await import(href)) as { work: (input: unknown) => unknown };
    return { kind: "done", output: await work(input) };
  } catch (error) {
    return failureOf(error);
  }
}

function send(answer: WorkerAnswer): void {
  try {
    process.send?.(answer);
  } catch (error) {
    // The output is not plain data.
    process.send?.(failureOf(error));
  }
}

function failureOf(error: unknown): WorkerAnswer {
  if (error instanceof Problem) {
    const { code, message, param, extra, cause: reason } = error;
    const cause = reason === undefined ? undefined : inspect(reason);
    return { kind: "problem", code, message, param, extra, cause };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "failed", name, message, stack: stack ?? "" };
}
