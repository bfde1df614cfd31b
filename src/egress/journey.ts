import { Problem } from "../core/problems.ts";
import { EgressFailure, failureFrom } from "./egress-failure.ts";

export type JourneySettings = {
  /** For all of it: names, connections, redirects and the body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

/** The longest delay of `setTimeout`; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

/** The life of one request over all its hops: its time, and the one connection that is open for it. */
export class Journey {
  /** The answer's head has arrived; from now on a break is a broken answer. */
  begun = false;
  readonly #aborting = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #onOver: (journey: Journey) => void;
  #close: () => void = nothing;

  constructor({ timeoutMs, signal }: JourneySettings, onOver: (journey: Journey) => void) {
    this.#onOver = onOver;
    this.#signal = signal;
    this.#timer = setTimeout(
      () => this.abort("timeout", "the time of the request ran out"),
      Math.min(timeoutMs, longestDelayMs),
    );
    if (signal?.aborted === true) this.#onSignal();
    else signal?.addEventListener("abort", this.#onSignal, { once: true });
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  abort(kind: "timeout" | "aborted", detail: string): void {
    if (this.signal.aborted) return;
    this.#aborting.abort(new EgressFailure(kind, detail));
    this.end();
  }

  /** From now on this closes what is open; at once if all is over already. */
  closesBy(close: () => void): void {
    this.#close = close;
    if (this.signal.aborted) close();
  }

  closeHop(): void {
    this.#close();
    this.#close = nothing;
  }

  /** Closes the connection and forgets the time. Harmless when done twice. */
  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onSignal);
    this.closeHop();
    this.#onOver(this);
  }

  /** As the promise, unless the journey is over before. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(this.failureOf(undefined));
      if (this.signal.aborted) onAbort();
      this.signal.addEventListener("abort", onAbort, { once: true });
      promise.then(resolve, reject).finally(() => this.signal.removeEventListener("abort", onAbort));
    });
  }

  /** Why there is no (more) answer: the end of the journey rather than what that broke. */
  failureOf(error: unknown): EgressFailure | Problem {
    const reason: unknown = this.signal.reason;
    if (reason instanceof EgressFailure) return reason;
    return error instanceof Problem ? error : failureFrom(error, this.begun);
  }

  readonly #onSignal = (): void => this.abort("aborted", "by the caller");
}

function nothing(): void {}
