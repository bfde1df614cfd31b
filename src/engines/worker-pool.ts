import { availableParallelism } from "node:os";
import { Problem } from "../core/problems.ts";
import { PoolThread } from "./worker-pool-thread.ts";
import type { ThreadLimits, ThreadTask } from "./worker-pool-thread.ts";

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
 * Threads that all heavy engines share: as many as there are cores, started with the first task, ended after a minute
 * without one. What a stranger's input can do to a thread (loop, eat memory, kill it) costs that task only.
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

export type WorkerPoolSettings = Partial<ThreadLimits> & {
  readonly threads?: number;
  /** Tasks that wait for a thread; one more is refused. */
  readonly maxWaiting?: number;
  readonly idleMs?: number;
  /** Of tasks that do not say their own. */
  readonly timeoutMs?: number;
};

const waitingPerThread = 16;

export function workerPool(settings: WorkerPoolSettings = {}): WorkerPool {
  const threads = settings.threads ?? availableParallelism();
  const pool = new Pool({
    threads,
    maxWaiting: settings.maxWaiting ?? threads * waitingPerThread,
    idleMs: settings.idleMs ?? 60_000,
    limits: { maxHeapMb: settings.maxHeapMb ?? 512, maxBufferMb: settings.maxBufferMb ?? 768 },
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
  readonly threads: number;
  readonly maxWaiting: number;
  readonly idleMs: number;
  readonly limits: ThreadLimits;
};

type Waiting = {
  readonly task: ThreadTask;
  readonly start: (thread: PoolThread) => void;
  readonly reject: (reason: unknown) => void;
};

class Pool {
  readonly #settings: PoolSettings;
  /** All that run, those that are ending included: there are never more than `threads` at once. */
  readonly #threads = new Set<PoolThread>();
  #idle: PoolThread[] = [];
  #waiting: Waiting[] = [];
  #idleTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  async run(task: ThreadTask): Promise<unknown> {
    task.signal.throwIfAborted();
    if (this.#isStopped) throw new Problem("shutting_down");
    const thread = await this.#turn(task);
    try {
      return await thread.run(task);
    } finally {
      if (thread.isUsable) this.#idle.push(thread);
      this.#handOut();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#idleTimer);
    const reason = new Problem("shutting_down");
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    await Promise.all([...this.#threads].map((thread) => thread.terminate(reason)));
  }

  #turn(task: ThreadTask): Promise<PoolThread> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(task.signal.reason);
      };
      const start = (thread: PoolThread): void => {
        task.signal.removeEventListener("abort", leave);
        resolve(thread);
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
      const thread = this.#waiting.length === 0 || this.#isStopped ? undefined : this.#freeThread();
      if (thread === undefined) break;
      this.#waiting.shift()?.start(thread);
    }
    if (this.#waiting.length > 0 || this.#isStopped) return;
    this.#idleTimer = setTimeout(() => this.#endIdle(), this.#settings.idleMs).unref();
  }

  #freeThread(): PoolThread | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined && idle.isUsable) return idle;
    if (idle !== undefined) return this.#freeThread();
    if (this.#threads.size >= this.#settings.threads) return undefined;
    const thread = new PoolThread(this.#settings.limits, () => {
      this.#threads.delete(thread);
      this.#handOut();
    });
    this.#threads.add(thread);
    return thread;
  }

  #endIdle(): void {
    const reason = new Problem("shutting_down");
    for (const thread of this.#idle.splice(0)) void thread.terminate(reason);
  }
}
