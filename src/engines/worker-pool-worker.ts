/** A thread of the worker pool: one order after the other, each answered once. */
import { inspect } from "node:util";
import { parentPort } from "node:worker_threads";
import { Problem } from "../core/problems.ts";
import type { WorkerAnswer, WorkerOrder } from "./worker-pool-messages.ts";

if (parentPort === null) throw new Error("this file is a thread of the worker pool");
const port = parentPort;

// What a library leaves behind unawaited must not end the thread under the task that comes next.
process.on("unhandledRejection", () => {});

port.on("message", (order: WorkerOrder) => {
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
    port.postMessage(answer);
  } catch (error) {
    // The output is not plain data.
    port.postMessage(failureOf(error));
  }
}

function failureOf(error: unknown): WorkerAnswer {
  if (error instanceof Problem) {
    const { code, message, param, extra, cause } = error;
    return {
      kind: "problem",
      code,
      message,
      param,
      extra,
      cause: cause === undefined ? undefined : inspect(cause),
    };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "failed", name, message, stack: stack ?? "" };
}
