import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { Problem } from "../core/problems.ts";
import type { WorkerAnswer, WorkerOrder } from "./worker-pool-messages.ts";

export type WorkerLimits = {
  /** Of JavaScript objects. */
  readonly maxHeapMb: number;
  /** Of all of the process, file contents and decoded streams included; looked at many times a second. */
  readonly maxMemoryMb: number;
};

export type ProcessTask = {
  readonly order: WorkerOrder;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The input that is to blame when the work takes too much time or memory. */
  readonly param: string | undefined;
};

type Running = {
  readonly task: ProcessTask;
  readonly resolve: (output: unknown) => void;
  readonly reject: (reason: unknown) => void;
};

/** Calls go before heavy work: of a core that both want, it gets about a third. */
const niceness = 5;

/** How a process ends that V8 gave no more memory, and one that its watch or the system ended for what it took. */
const memorySignals: ReadonlySet<string> = new Set(["SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL"]);

/** One life of a worker, one task at a time. A task that overruns its limits is the worker's last. */
export class PoolProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  #running: Running | undefined;
  #end: { readonly reason: unknown } | undefined;

  /** `onExit` is called when nothing of it runs any more. */
  constructor({ maxHeapMb, maxMemoryMb }: WorkerLimits, onExit: () => void) {
    this.#child = fork(
      fileURLToPath(new URL("./worker-pool-worker.ts", import.meta.url)),
      [String(maxMemoryMb)],
      {
        // It reads what strangers wrote: nothing of the environment, and with it no secret, goes in.
        env: {},
        execArgv: [`--max-old-space-size=${maxHeapMb}`],
        serialization: "advanced",
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      },
    );
    this.#child.on("message", (answer) => this.#hear(answer as WorkerAnswer));
    this.#exit = new Promise((resolve) => {
      const over = (reason: Problem): void => {
        this.#endWith(reason);
        resolve();
        onExit();
      };
      this.#child.once("exit", (code, signal) => over(this.#deathBy(code, signal)));
      this.#child.on("error", (cause) => {
        const reason = new Problem("internal_error", { cause });
        // What was never started does not exit either.
        if (this.#child.pid === undefined) over(reason);
        else this.#endWith(reason);
      });
    });
    makeNice(this.#child.pid);
  }

  /** False once it takes no further task. */
  get isUsable(): boolean {
    return this.#end === undefined;
  }

  async run(task: ProcessTask): Promise<unknown> {
    task.signal.throwIfAborted();
    if (this.#end !== undefined) throw this.#end.reason;
    const timer = setTimeout(() => this.#endWith(overrun(task)), task.timeoutMs);
    const leave = (): void => this.#endWith(task.signal.reason);
    task.signal.addEventListener("abort", leave, { once: true });
    this.#hold();
    try {
      return await new Promise((resolve, reject) => {
        this.#running = { task, resolve, reject };
        this.#child.send(task.order, (error) => {
          // A death is told better by the exit that follows it.
          if (error !== null && this.#child.connected) reject(error);
        });
      });
    } finally {
      clearTimeout(timer);
      task.signal.removeEventListener("abort", leave);
      this.#running = undefined;
      this.#letGo();
    }
  }

  async terminate(reason: Problem): Promise<void> {
    this.#hold();
    this.#endWith(reason);
    await this.#exit;
    this.#letGo();
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
    this.#child.kill("SIGKILL");
  }

  #deathBy(code: number | null, signal: string | null): Problem {
    const task = this.#running?.task;
    if (signal !== null && memorySignals.has(signal) && task !== undefined) return tooLarge(task);
    return new Problem("internal_error", { cause: `a worker ended with ${signal ?? code}` });
  }

  #hold(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  /** An idle worker keeps nobody from leaving. */
  #letGo(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }
}

function makeNice(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, niceness);
  } catch {
    // It is gone already, or this system does not allow it.
  }
}

type Failure = Exclude<WorkerAnswer, { kind: "done" }>;

function failureOf(answer: Failure, task: ProcessTask): Error {
  if (answer.kind === "problem") {
    const { code, message, param, extra, cause } = answer;
    return new Problem(code, { message, extra, cause, ...(param === null ? {} : { param }) });
  }
  if (answer.name === "RangeError" && answer.message.includes("call stack")) return tooDeep(task);
  if (answer.name === "RangeError" && answer.message.includes("allocation failed")) return tooLarge(task);
  return Object.assign(new Error(answer.message), { name: answer.name, stack: answer.stack });
}

function overrun({ timeoutMs, param }: ProcessTask): Problem {
  const message = `The input took more than ${timeoutMs / 1000} seconds of work, which is as long as it may take.`;
  return blame(message, param);
}

function tooLarge({ param }: ProcessTask): Problem {
  return blame("The input takes more memory than one run may have.", param);
}

function tooDeep({ param }: ProcessTask): Problem {
  return blame("The input is nested too deeply.", param);
}

function blame(message: string, param: string | undefined): Problem {
  return new Problem("invalid_request", { message, ...(param === undefined ? {} : { param }) });
}
