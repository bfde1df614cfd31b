import type { Exchange, Receiver } from "./exchange.ts";
import { GatheringFailed } from "./gather.ts";
import type { Followed } from "./trusted-addresses.ts";
import type { Upstream, UpstreamFailure } from "./upstream.ts";
import type { UpstreamHeaders } from "./wire.ts";

export type OpenedBody = {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** As it comes: whoever reads it sets the pace. Throws `GatheringFailed` when it breaks off. */
  readonly body: AsyncIterable<Buffer>;
};

const timeouts = { totalMs: 3_600_000 };
/** The store has its own, smaller limits. */
const largestFileBytes = 16 * 1024 * 1024 * 1024;

/** Gets a file from a provider, with its credential. Resolves with the head; the body waits to be read. */
export async function openBody(
  upstream: Upstream,
  { connection, path }: Followed,
  signal: AbortSignal,
): Promise<OpenedBody> {
  await upstream.ready(connection);
  const request = { method: "GET", path, headers: {}, body: undefined } as const;
  const arriving = new ArrivingBody(signal);
  arriving.attach(upstream.send({ connection, request, timeouts, maxBytes: largestFileBytes }, arriving));
  return arriving.head;
}

/** A body between the connection that fills it and whoever reads it, one piece at a time. */
class ArrivingBody implements Receiver {
  readonly #head = Promise.withResolvers<OpenedBody>();
  readonly #signal: AbortSignal;
  readonly #pieces: Buffer[] = [];
  #state: "open" | "ended" | Error = "open";
  #news: (() => void) | undefined;
  #exchange: Exchange | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get head(): Promise<OpenedBody> {
    return this.#head.promise;
  }

  attach(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#signal.aborted) this.#leave();
    else this.#signal.addEventListener("abort", this.#leave, { once: true });
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.#head.resolve({ status, headers, body: this.#read() });
  }

  onBytes(bytes: Buffer): boolean {
    this.#pieces.push(bytes);
    this.#tell();
    return false;
  }

  onEnd(): void {
    this.#state = "ended";
    this.#tell();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#state = new GatheringFailed(failure);
    this.#head.reject(this.#state);
    this.#tell();
  }

  readonly #leave = (): void => {
    this.#exchange?.abort();
    this.onFailure({ kind: "aborted", stage: "idle", detail: "given up" });
  };

  #tell(): void {
    this.#news?.();
    this.#news = undefined;
  }

  async *#read(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) yield piece;
        else if (this.#state === "ended") return;
        else if (this.#state !== "open") throw this.#state;
        else await this.#more();
      }
    } finally {
      this.#signal.removeEventListener("abort", this.#leave);
      this.#exchange?.abort();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#news = resolve;
      this.#exchange?.resume();
    });
  }
}
