import type { Duplex } from "node:stream";
import type { Log } from "../core/log.ts";
import { EmbeddedStream } from "./embedded-stream.ts";
import { EmbeddedDatabaseDied, EmbeddedThread } from "./embedded-thread.ts";

/**
 * PGlite in a thread of its own, so that a slow statement never holds up the main thread. Starts the thread when asked
 * first and again when it died; PostgreSQL then recovers from its log as after a crash.
 */
export class EmbeddedEngine {
  readonly #directory: string;
  readonly #log: Log;
  #thread: Promise<EmbeddedThread> | undefined;
  #isClosed = false;

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** What the driver uses in place of a socket. */
  stream(): Duplex {
    return new EmbeddedStream(() => this.#running());
  }

  async fsyncs(): Promise<number> {
    const answer = await (await this.#running()).ask({ kind: "count" });
    return answer.kind === "count" ? answer.fsyncs : 0;
  }

  /** Ends the thread for good. The database is closed properly unless the thread is gone already. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = await this.#thread?.catch(() => undefined);
    if (thread === undefined) return;
    await thread.ask({ kind: "close" }).catch(() => undefined);
    await thread.terminate("it was closed");
  }

  #running(): Promise<EmbeddedThread> {
    if (this.#isClosed) return Promise.reject(new EmbeddedDatabaseDied("it was closed"));
    this.#thread ??= this.#start();
    return this.#thread;
  }

  #start(): Promise<EmbeddedThread> {
    const starting = EmbeddedThread.start(this.#directory, (reason) => {
      if (this.#thread === starting) this.#thread = undefined;
      if (!this.#isClosed) this.#log.error({ reason }, "the thread of the embedded database ended");
    });
    starting.catch(() => {
      if (this.#thread === starting) this.#thread = undefined;
    });
    return starting;
  }
}
