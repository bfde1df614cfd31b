import { Duplex } from "node:stream";
import type { FromWorker } from "./embedded-messages.ts";
import type { EmbeddedThread } from "./embedded-thread.ts";

type Done = (error?: Error | null) => void;

/**
 * Looks like a socket to the driver and leads into the thread of the embedded database. So both homes share the
 * driver: its types, prepared statements, errors and pool.
 */
export class EmbeddedStream extends Duplex {
  readonly #findThread: () => Promise<EmbeddedThread>;
  #thread: EmbeddedThread | undefined;
  #isWaiting = false;

  constructor(findThread: () => Promise<EmbeddedThread>) {
    super();
    this.#findThread = findThread;
  }

  /** The driver's word for opening; here it waits for the thread and begins a clean session. */
  connect(): this {
    this.#open().then(
      () => this.emit("connect"),
      (error: unknown) => this.destroy(asError(error)),
    );
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send(chunk, done);
  }

  /** All messages of one statement travel together; the driver corks them. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: Done): void {
    this.push(null);
    done();
  }

  /** Given up in the midst of a statement: nobody else could use the thread before that ends, if ever it does. */
  override _destroy(error: Error | null, done: Done): void {
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread !== undefined && this.#isWaiting) void thread.terminate("a statement was given up");
    done(error);
  }

  async #open(): Promise<void> {
    const thread = await this.#findThread();
    await thread.ask({ kind: "session" });
    this.#thread = thread;
  }

  #send(bytes: Uint8Array, done: Done): void {
    if (this.#thread === undefined) {
      done(new Error("not connected"));
      return;
    }
    this.#isWaiting = true;
    const resolve = (message: FromWorker): void => {
      this.#isWaiting = false;
      if (message.kind === "answer" && message.bytes.length > 0) this.push(message.bytes);
      done();
    };
    this.#thread.send({ kind: "protocol", bytes }, { resolve, reject: done });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
