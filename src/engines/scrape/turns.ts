export type TurnsSettings = {
  readonly atOnce: number;
  /** Without it everybody may wait. */
  readonly mostWaiting?: number;
  /** What is thrown to one more. */
  readonly full?: () => Error;
};

/** So many at once and no more; the others wait in the order in which they came. */
export class Turns {
  readonly #settings: TurnsSettings;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(settings: TurnsSettings) {
    this.#settings = settings;
    this.#free = settings.atOnce;
  }

  /** Runs the work when it is its turn. Throws the signal's reason when that comes first. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { mostWaiting = Number.POSITIVE_INFINITY, full } = this.#settings;
    if (this.#waiting.length >= mostWaiting) throw full?.() ?? new Error("too many wait");
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal.reason);
      };
      this.#waiting.push(start);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
