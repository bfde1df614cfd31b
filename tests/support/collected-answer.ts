import type { Receiver, UpstreamFailure } from "../../src/providers/upstream.ts";
import type { UpstreamHeaders } from "../../src/providers/wire.ts";

/** Keeps what a receiver hears, with times, and checks the promise that nothing follows the end. */
export class CollectedAnswer implements Receiver {
  status = 0;
  headers: UpstreamHeaders = {};
  readonly parts: Buffer[] = [];
  readonly partTimes: number[] = [];
  sizeBytes = 0;
  failure: UpstreamFailure | undefined;
  ended = false;
  /** Calls that came after the end or the failure. */
  late = 0;
  /** Asks for a pause after every part. */
  pauses = false;
  onPart: (() => void) | undefined;
  /** When the end or the failure came. */
  overAt = 0;
  readonly over: Promise<this>;
  #settle: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#settle = () => resolve(this);
    });
  }

  get text(): string {
    return Buffer.concat(this.parts).toString();
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.#count();
    this.status = status;
    this.headers = headers;
  }

  onBytes(bytes: Buffer): boolean {
    this.#count();
    this.parts.push(bytes);
    this.partTimes.push(performance.now());
    this.sizeBytes += bytes.length;
    this.onPart?.();
    return !this.pauses;
  }

  onEnd(): void {
    this.#count();
    this.ended = true;
    this.#finish();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#count();
    this.failure = failure;
    this.#finish();
  }

  #finish(): void {
    this.overAt = performance.now();
    this.#settle();
  }

  #count(): void {
    if (this.ended || this.failure !== undefined) this.late += 1;
  }
}
