import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { FileRows } from "./file-rows.ts";
import type { FileStore } from "./file-store.ts";

const pageSize = 200;
const atOnce = 8;
/** So many pages of which nothing can be removed, one behind the other, say that the store is away. */
const mostPagesInVain = 5;
const usualRemovalMs = 5_000;

export type SweeperHouse = {
  readonly rows: FileRows;
  readonly store: FileStore;
  readonly clock: Clock;
  readonly log: Log;
  /** So long somebody waits for bytes to go, at most. A store that is slower goes on by itself. */
  readonly removalMs?: number | undefined;
};

/**
 * Removes files: the bytes first, then the row. A crash in between leaves a row that has expired, which nobody can read
 * and the next sweep finds again; the other way round it would leave bytes that nothing points to any more.
 */
export class FileSweeper {
  readonly #house: SweeperHouse;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<number> | undefined;
  #isStopping = false;
  /** Where the last sweep gave up: the next one begins behind it, or nothing behind would ever go. */
  #behind = "";

  constructor(house: SweeperHouse) {
    this.#house = house;
  }

  /** Removes what is due, once; a sweep that runs already is the answer to both. Rejects when the database is away. */
  sweep(): Promise<number> {
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** Removes a file that nobody sees any more. Never rejects: what fails or takes too long is left to a later sweep. */
  async discard(id: string): Promise<void> {
    await this.#inTime(this.#discard(id));
  }

  async #discard(id: string): Promise<boolean> {
    const { rows, store, log } = this.#house;
    try {
      await store.remove(id);
      await rows.drop(id);
      return true;
    } catch (error) {
      log.warn({ file: id, err: error }, "a file could not be removed yet");
      return false;
    }
  }

  start(everyMs: number): void {
    const look = (): void => {
      this.sweep().catch((error: unknown) => this.#house.log.warn({ err: error }, "a sweep of files failed"));
    };
    clearInterval(this.#timer);
    // A process that never lives as long as the pause sweeps too.
    look();
    this.#timer = setInterval(look, everyMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#inTime(this.#sweeping?.catch(() => undefined));
  }

  async #inTime(removal: Promise<unknown> | undefined): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#house.removalMs ?? usualRemovalMs);
    await Promise.race([removal, late]);
    clearTimeout(timer);
  }

  async #sweepAll(): Promise<number> {
    const { rows, clock } = this.#house;
    const now = new Date(clock.now());
    let removed = 0;
    let inVain = 0;
    let page = await rows.due(now, this.#behind, pageSize);
    this.#behind = "";
    while (page.length > 0 && !this.#isStopping) {
      const fromPage = await this.#discardAll(page);
      removed += fromPage;
      inVain = fromPage === 0 ? inVain + 1 : 0;
      // Goes on behind those that failed.
      const last = page.at(-1) ?? "";
      if (inVain === mostPagesInVain) {
        this.#behind = last;
        break;
      }
      page = await rows.due(now, last, pageSize);
    }
    return removed;
  }

  async #discardAll(ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < ids.length && !this.#isStopping; at += atOnce) {
      const done = await Promise.all(ids.slice(at, at + atOnce).map((id) => this.#discard(id)));
      removed += done.filter(Boolean).length;
    }
    return removed;
  }
}
