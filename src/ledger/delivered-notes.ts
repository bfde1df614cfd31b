import type { Credits } from "../core/credits.ts";
import type { Log } from "../core/log.ts";
import type { Database } from "../storage/database.ts";
import { cannotWriteNow, writeDelivered } from "./ledger-statements.ts";

const writeEveryMs = 1000;

/**
 * What customers have received so far, by call. Written together, once a second at most; a crash loses no more than
 * that, at the operator's cost. Never keeps the process alive.
 */
export class DeliveredNotes {
  readonly #database: Database;
  readonly #log: Log;
  #notes = new Map<string, Credits>();
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  note(callId: string, cost: Credits): void {
    const noted = this.#notes.get(callId);
    if (noted !== undefined && noted >= cost) return;
    this.#notes.set(callId, cost);
    this.#timer ??= setTimeout(() => void this.#writeDue(), writeEveryMs).unref();
  }

  /** The call is over; what it delivered is on its receipt. */
  drop(callId: string): void {
    this.#notes.delete(callId);
  }

  /** Writes what is noted. Notes are kept for later while the database is away or cannot write. */
  async write(): Promise<void> {
    const notes = this.#notes;
    if (notes.size === 0) return;
    this.#notes = new Map();
    try {
      await writeDelivered(this.#database, notes);
    } catch (error) {
      this.#log.warn({ err: error, calls: notes.size }, "could not note what calls have delivered");
      if (!cannotWriteNow(error)) return;
      for (const [callId, cost] of notes) this.note(callId, cost);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #writeDue(): Promise<void> {
    await this.write();
    this.#timer = undefined;
    if (this.#notes.size > 0) {
      this.#timer = setTimeout(() => void this.#writeDue(), writeEveryMs).unref();
    }
  }
}
