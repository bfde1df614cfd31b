import { Problem } from "../core/problems.ts";

/** A report may read a million receipts, and calls go through the same database. */
const mostAtOnce = 2;
const mostWaitingOfOne = 32;

type Turn = { readonly accountId: string; readonly begin: () => void };

/**
 * Who may read a report: two at once, of each account one. Of those that wait, the account that had its turn last comes
 * after all others, so that one which asks for many delays nobody but itself.
 */
export class ReportTurns {
  readonly #reading = new Set<string>();
  readonly #waiting: Turn[] = [];

  async take<T>(accountId: string, read: () => Promise<T>): Promise<T> {
    await this.#turnOf(accountId);
    try {
      return await read();
    } finally {
      this.#reading.delete(accountId);
      this.#beginNext(accountId);
    }
  }

  #turnOf(accountId: string): Promise<void> {
    if (this.#waiting.filter((turn) => turn.accountId === accountId).length >= mostWaitingOfOne) {
      const message = "Too many reports of this account at once.";
      throw new Problem("concurrency_limit_exceeded", { message, retryAfterSeconds: 1 });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ accountId, begin: resolve });
    this.#beginNext(undefined);
    return promise;
  }

  #beginNext(hadItsTurn: string | undefined): void {
    while (this.#reading.size < mostAtOnce) {
      const ready = this.#waiting.filter(({ accountId }) => !this.#reading.has(accountId));
      const next = ready.find(({ accountId }) => accountId !== hadItsTurn) ?? ready[0];
      if (next === undefined) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#reading.add(next.accountId);
      next.begin();
    }
  }
}
