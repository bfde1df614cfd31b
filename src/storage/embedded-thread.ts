import { Worker } from "node:worker_threads";
import type { EmbeddedWorkerData, FromWorker, ToWorker } from "./embedded-messages.ts";

type Waiting = {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
};

/** One life of the thread. Questions are answered in order. `onEnd` is called when nothing of it runs any more. */
export class EmbeddedThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #end: Error | undefined;

  /** Where there is no database yet, a first thread makes it, and what that took of memory goes with the thread. */
  static async start(directory: string, onEnd: (reason: string) => void): Promise<EmbeddedThread> {
    const data: EmbeddedWorkerData = { directory };
    for (;;) {
      const worker = new Worker(new URL("./embedded-worker.ts", import.meta.url), { workerData: data });
      let isMaker = false;
      const thread = new EmbeddedThread(worker, (reason) => {
        if (!isMaker) onEnd(reason);
      });
      const first = await new Promise<FromWorker>((resolve, reject) =>
        thread.#waiting.push({ resolve, reject }),
      );
      if (first.kind !== "made") return thread;
      isMaker = true;
      await worker.terminate();
    }
  }

  private constructor(worker: Worker, onEnd: (reason: string) => void) {
    this.#worker = worker;
    let reason: string | undefined;
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "failed") reason = message.reason;
      else this.#waiting.shift()?.resolve(message);
    });
    worker.on("error", (error) => {
      reason ??= error.message;
    });
    worker.on("exit", () => {
      this.#end ??= new EmbeddedDatabaseDied(reason ?? "no reason given");
      for (const { reject } of this.#waiting.splice(0)) reject(this.#end);
      onEnd(this.#end.message);
    });
  }

  ask(message: ToWorker): Promise<FromWorker> {
    return new Promise((resolve, reject) => this.send(message, { resolve, reject }));
  }

  /** `ask` without a promise, for streams. */
  send(message: ToWorker, waiting: Waiting): void {
    if (this.#end !== undefined) {
      waiting.reject(this.#end);
      return;
    }
    this.#waiting.push(waiting);
    this.#worker.postMessage(message);
  }

  /** As kill -9 does to a process. */
  async terminate(reason: string): Promise<void> {
    this.#end ??= new EmbeddedDatabaseDied(reason);
    await this.#worker.terminate();
  }
}

/** Carries a code that the driver's callers read as a lost connection, which is what it is to them. */
export class EmbeddedDatabaseDied extends Error {
  readonly code = "ECONNRESET";

  constructor(reason: string) {
    super(`the embedded database ended: ${reason}`);
    this.name = "EmbeddedDatabaseDied";
  }
}
