import { Problem } from "../core/problems.ts";

type Waiting = { readonly enter: () => void };

/** How many runs of an engine work at once; the others wait in their order, and beyond a bound they are turned away. */
export class Places {
  readonly #maxWaiting: number;
  #free: number;
  #waiting: Waiting[] = [];

  constructor(places: number, maxWaiting: number) {
    this.#free = places;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs `work` when a place is free. Leaves the queue when the signal says so; work that has begun keeps its place. */
  async in<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting)
      throw new Problem("service_unavailable", {
        message: "This server is busy with other runs of this kind.",
      });
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** The place goes straight to who waited longest, so that nobody new slips in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next.enter();
  }
}
