import { availableParallelism } from "node:os";
import { Problem } from "../core/problems.ts";
import { PoolProcess } from "./worker-pool-process.ts";
import type { ProcessTask, WorkerLimits } from "./worker-pool-process.ts";

/** Work as a file that exports `work`; input and output are plain data, bytes included. */
export type WorkerCode<Work extends (input: never) => unknown> = {
  readonly url: URL;
  /** Never set: it carries the type. */
  readonly work?: Work;
};

export type WorkerTask<Input> = {
  readonly input: Input;
  /** Ends the task, waiting or running; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Of running, not of waiting. */
  readonly timeoutMs?: number | undefined;
  /** The input that is to blame when the work takes too much time or memory. */
  readonly param?: string | undefined;
};

/**
 * Workers that all heavy engines share: as many as there are cores, started with the first task, ended after a minute
 * without one. What a stranger's input can do to a worker (loop, eat memory, crash it) costs that task only. They are
 * processes, not threads: V8 ends the whole process when an array or map of a thread outgrows the thread's limit, and
 * a library that is not JavaScript may crash.
 */
export type WorkerPool = {
  /**
   * Throws the `Problem` that `work` threw; `invalid_request` when the input takes too much time, memory or depth;
   * `service_unavailable` when too many tasks wait; any other error of `work` as it is.
   */
  run<Work extends (input: never) => unknown>(
    code: WorkerCode<Work>,
    task: WorkerTask<Parameters<Work>[0]>,
  ): Promise<Awaited<ReturnType<Work>>>;
  stop(): Promise<void>;
};

export type WorkerPoolSettings = Partial<WorkerLimits> & {
  readonly workers?: number;
  /** Tasks that wait for a worker; one more is refused. */
  readonly maxWaiting?: number;
  readonly idleMs?: number;
  /** Of tasks that do not say their own. */
  readonly timeoutMs?: number;
};

const waitingPerWorker = 16;

export function workerPool(settings: WorkerPoolSettings = {}): WorkerPool {
  const workers = settings.workers ?? availableParallelism();
  const pool = new Pool({
    workers,
    maxWaiting: settings.maxWaiting ?? workers * waitingPerWorker,
    idleMs: settings.idleMs ?? 60_000,
    limits: { maxHeapMb: settings.maxHeapMb ?? 512, maxMemoryMb: settings.maxMemoryMb ?? 1024 },
  });
  const timeoutMs = settings.timeoutMs ?? 30_000;
  return {
    run: async (code, task) => {
      const output = await pool.run({
        order: { href: code.url.href, input: task.input },
        timeoutMs: task.timeoutMs ?? timeoutMs,
        signal: task.signal,
        param: task.param,
      });
      // The other side is our own file, and its type is what the caller named.
      return output as never;
    },
    stop: () => pool.stop(),
  };
}

type PoolSettings = {
  readonly workers: number;
  readonly maxWaiting: number;
  readonly idleMs: number;
  readonly limits: WorkerLimits;
};

type Waiting = {
  readonly task: ProcessTask;
  readonly start: (worker: PoolProcess) => void;
  readonly reject: (reason: unknown) => void;
};

class Pool {
  readonly #settings: PoolSettings;
  /** All that run, those that are ending included: there are never more than `workers` at once. */
  readonly #workers = new Set<PoolProcess>();
  #idle: PoolProcess[] = [];
  #waiting: Waiting[] = [];
  #idleTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  async run(task: ProcessTask): Promise<unknown> {
    task.signal.throwIfAborted();
    if (this.#isStopped) throw new Problem("shutting_down");
    const worker = await this.#turn(task);
    try {
      return await worker.run(task);
    } finally {
      if (worker.isUsable) this.#idle.push(worker);
      this.#handOut();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#idleTimer);
    const reason = new Problem("shutting_down");
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    await Promise.all([...this.#workers].map((worker) => worker.terminate(reason)));
  }

  #turn(task: ProcessTask): Promise<PoolProcess> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(task.signal.reason);
      };
      const start = (worker: PoolProcess): void => {
        task.signal.removeEventListener("abort", leave);
        resolve(worker);
      };
      const waiting: Waiting = { task, start, reject };
      this.#waiting.push(waiting);
      this.#handOut();
      if (!this.#waiting.includes(waiting)) return;
      if (this.#waiting.length > this.#settings.maxWaiting) {
        this.#waiting.pop();
        reject(new Problem("service_unavailable", { message: "The engines are busy. Try again shortly." }));
        return;
      }
      task.signal.addEventListener("abort", leave, { once: true });
    });
  }

  #handOut(): void {
    clearTimeout(this.#idleTimer);
    for (;;) {
      const worker = this.#waiting.length === 0 || this.#isStopped ? undefined : this.#freeWorker();
      if (worker === undefined) break;
      this.#waiting.shift()?.start(worker);
    }
    if (this.#waiting.length > 0 || this.#isStopped) return;
    this.#idleTimer = setTimeout(() => this.#endIdle(), this.#settings.idleMs).unref();
  }

  #freeWorker(): PoolProcess | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined && idle.isUsable) return idle;
    if (idle !== undefined) return this.#freeWorker();
    if (this.#workers.size >= this.#settings.workers) return undefined;
    const worker = new PoolProcess(this.#settings.limits, () => {
      this.#workers.delete(worker);
      this.#handOut();
    });
    this.#workers.add(worker);
    return worker;
  }

  #endIdle(): void {
    const reason = new Problem("shutting_down");
    for (const worker of this.#idle.splice(0)) void worker.terminate(reason);
  }
}
