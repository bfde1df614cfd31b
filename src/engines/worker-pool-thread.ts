import { Worker } from "node:worker_threads";
import { Problem } from "../core/problems.ts";
import type { WorkerAnswer, WorkerOrder } from "./worker-pool-messages.ts";

export type ThreadLimits = {
  /** Of JavaScript objects. */
  readonly maxHeapMb: number;
  /** Of what lies beside them: file contents, decoded streams. Looked at several times a second. */
  readonly maxBufferMb: number;
};

export type ThreadTask = {
  readonly order: WorkerOrder;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The input that is to blame when the work takes too much time or memory. */
  readonly param: string | undefined;
};

type Running = {
  readonly task: ThreadTask;
  readonly resolve: (output: unknown) => void;
  readonly reject: (reason: unknown) => void;
};

const lookEveryMs = 100;
const bytesPerMb = 1024 * 1024;

/** One life of a thread, one task at a time. A task that overruns its limits is the thread's last. */
export class PoolThread {
  readonly #worker: Worker;
  readonly #limits: ThreadLimits;
  #running: Running | undefined;
  #end: { readonly reason: unknown } | undefined;

  /** `onExit` is called when nothing of it runs any more. */
  constructor(limits: ThreadLimits, onExit: () => void) {
    this.#limits = limits;
    this.#worker = new Worker(new URL("./worker-pool-worker.ts", import.meta.url), {
      // It reads what strangers wrote: nothing of the environment, and with it no secret, goes in.
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb },
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on("message", (answer: WorkerAnswer) => this.#hear(answer));
    this.#worker.on("error", (error) => this.#endWith(this.#deathOf(error)));
    this.#worker.on("exit", (code) => {
      this.#endWith(new Problem("internal_error", { cause: `a worker exited with ${code}` }));
      onExit();
    });
  }

  /** False once it takes no further task. */
  get isUsable(): boolean {
    return this.#end === undefined;
  }

  async run(task: ThreadTask): Promise<unknown> {
    task.signal.throwIfAborted();
    if (this.#end !== undefined) throw this.#end.reason;
    const timer = setTimeout(() => this.#endWith(overrun(task)), task.timeoutMs);
    const look = setInterval(() => void this.#lookAtMemory(task), lookEveryMs);
    const leave = (): void => this.#endWith(task.signal.reason);
    task.signal.addEventListener("abort", leave, { once: true });
    this.#worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#running = { task, resolve, reject };
        this.#worker.postMessage(task.order);
      });
    } finally {
      clearTimeout(timer);
      clearInterval(look);
      task.signal.removeEventListener("abort", leave);
      this.#running = undefined;
      // An idle thread keeps nobody from leaving.
      this.#worker.unref();
    }
  }

  async terminate(reason: Problem): Promise<void> {
    this.#endWith(reason);
    await this.#worker.terminate();
  }

  #hear(answer: WorkerAnswer): void {
    const running = this.#running;
    if (running === undefined || this.#end !== undefined) return;
    if (answer.kind === "done") running.resolve(answer.output);
    else running.reject(failureOf(answer, running.task));
  }

  #endWith(reason: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    this.#running?.reject(reason);
    void this.#worker.terminate();
  }

  async #lookAtMemory(task: ThreadTask): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      const { external_memory: bytes } = await this.#worker.getHeapStatistics();
      if (bytes > this.#limits.maxBufferMb * bytesPerMb && this.#running?.task === task)
        this.#endWith(tooLarge(task));
    } catch {
      // It ended while it was asked.
    }
  }

  #deathOf(error: unknown): unknown {
    const task = this.#running?.task;
    const isMemory = error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
    return isMemory && task !== undefined ? tooLarge(task) : new Problem("internal_error", { cause: error });
  }
}

type Failure = Exclude<WorkerAnswer, { kind: "done" }>;

function failureOf(answer: Failure, task: ThreadTask): Error {
  if (answer.kind === "problem") {
    const { code, message, param, extra, cause } = answer;
    return new Problem(code, { message, extra, cause, ...(param === null ? {} : { param }) });
  }
  if (answer.name === "RangeError" && answer.message.includes("call stack")) return tooDeep(task);
  if (answer.name === "RangeError" && answer.message.includes("allocation failed")) return tooLarge(task);
  return Object.assign(new Error(answer.message), { name: answer.name, stack: answer.stack });
}

function overrun({ timeoutMs, param }: ThreadTask): Problem {
  const message = `The input took more than ${timeoutMs / 1000} seconds of work, which is as long as it may take.`;
  return blame(message, param);
}

function tooLarge({ param }: ThreadTask): Problem {
  return blame("The input takes more memory than one run may have.", param);
}

function tooDeep({ param }: ThreadTask): Problem {
  return blame("The input is nested too deeply.", param);
}

function blame(message: string, param: string | undefined): Problem {
  return new Problem("invalid_request", { message, ...(param === undefined ? {} : { param }) });
}
