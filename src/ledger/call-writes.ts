import type { Clock } from "../core/clock.ts";
import { formatCredits } from "../core/credits.ts";
import type { Credits } from "../core/credits.ts";
import type { Log } from "../core/log.ts";
import { Problem } from "../core/problems.ts";
import type { Receipt } from "../core/receipt.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database } from "../storage/database.ts";
import { GroupedWrites } from "./grouped-writes.ts";
import { cannotWriteNow, endingOf, writeCalls } from "./ledger-statements.ts";
import type { CallWrite, Written } from "./ledger-statements.ts";
import type { Closed, HoldAnswer, HoldRequest } from "./ledger.ts";
import type { NodePresence } from "./node-presence.ts";

export type CallWritesOptions = {
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly presence: NodePresence;
  /** From its abort on, closes that find the database away are given up. */
  readonly stopping: AbortSignal;
};

/** The item was left out of the statement: its time had not come, or was over. */
const unsent = "unsent";

const firstPauseMs = 50;
const longestPauseMs = 1000;
const retryAfterSeconds = 1;

/**
 * Writes the holds and closes of calls, all that wait in one statement. While the database is away holds are refused
 * and closes wait; neither keeps the other waiting.
 */
export class CallWrites {
  readonly #options: CallWritesOptions;
  readonly #writes: GroupedWrites<CallWrite, Written | typeof unsent>;
  /** Until when closes wait, while the database is away. */
  #pausing: Promise<void> | undefined;
  #pauseMs = firstPauseMs;
  #unsettled = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: CallWritesOptions) {
    this.#options = options;
    this.#writes = new GroupedWrites({
      write: (items) => this.#write(items),
      concernsAll: cannotWriteNow,
    });
  }

  async hold(request: HoldRequest): Promise<HoldAnswer> {
    const { presence } = this.#options;
    this.#unsettled++;
    try {
      for (;;) {
        if (!presence.visible && !(await presence.becomeVisible())) {
          throw new Problem("service_unavailable", { retryAfterSeconds });
        }
        try {
          const written = await this.#writes.add({ kind: "hold", request });
          if (written !== unsent) return { held: written.amount, available: written.available };
        } catch (error) {
          if (!cannotWriteNow(error)) throw error;
          if (error instanceof DatabaseUnavailable) this.#releaseUnknown(request);
          throw new Problem("service_unavailable", { retryAfterSeconds, cause: error });
        }
      }
    } finally {
      this.#settled();
    }
  }

  /** Safe to repeat: a close that did take effect before the connection broke answers from its receipt. */
  async close(receipt: Receipt): Promise<Closed> {
    this.#unsettled++;
    try {
      for (;;) {
        if (this.#pausing !== undefined) await this.#pausing;
        try {
          const written = await this.#writes.add({ kind: "close", receipt });
          if (written !== unsent) {
            const charged = written.amount ?? 0n;
            if (!written.hasClosed && charged < receipt.cost) await this.#tellLoss(receipt, charged);
            return { charged, available: written.available };
          }
        } catch (error) {
          if (!cannotWriteNow(error)) throw error;
          if (this.#options.stopping.aborted) throw new Problem("service_unavailable", { cause: error });
        }
      }
    } finally {
      this.#settled();
    }
  }

  /**
   * A process that stood still for too long finds its calls closed by others, at what was noted until then. The customer
   * gets the rest of the answer all the same: what a call cost is decided once, and the operator learns what that lost.
   */
  async #tellLoss({ callId, cost }: Receipt, charged: Credits): Promise<void> {
    const { database, log } = this.#options;
    // Anything else was this very close, whose first answer was lost.
    const ending = await endingOf(database, callId).catch(() => undefined);
    const fields = { callId, charged: formatCredits(charged), notCharged: formatCredits(cost - charged) };
    if (ending === undefined || ending === "recovered")
      log.warn(fields, "a call was closed as a dead process's before it ended; the rest is not charged");
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#unsettled > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
  }

  #settled(): void {
    this.#unsettled--;
    if (this.#unsettled > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** The hold may have been taken, may yet be, or may not. Closing the call first settles it in every case. */
  #releaseUnknown(request: HoldRequest): void {
    const { callId, accountId, keyId, mode, model } = request;
    const now = this.#options.clock.now();
    const released = this.close({
      callId,
      accountId,
      keyId,
      mode,
      model,
      servedBy: "",
      usage: {},
      estimated: false,
      cost: 0n,
      ending: "failed",
      problem: "service_unavailable",
      attempts: 0,
      startedAt: now,
      endedAt: now,
    });
    released.catch((error: unknown) => {
      this.#options.log.error({ err: error, callId }, "could not release a hold with unknown outcome");
    });
  }

  /** Holds that the other nodes could not see, and closes while the database is to be spared, stay unsent. */
  async #write(items: readonly CallWrite[]): Promise<readonly (Written | typeof unsent)[]> {
    const { database, nodeId, presence } = this.#options;
    const maySend = { hold: presence.visible, close: this.#pausing === undefined };
    const sent = maySend.hold && maySend.close ? items : items.filter(({ kind }) => maySend[kind]);
    if (sent.length === 0) return items.map(() => unsent);
    try {
      const written = await writeCalls(database, nodeId, sent);
      if (maySend.close) this.#pauseMs = firstPauseMs;
      if (sent === items) return written;
      const answers = written.values();
      return items.map(({ kind }) => (maySend[kind] ? (answers.next().value ?? unsent) : unsent));
    } catch (error) {
      if (cannotWriteNow(error)) this.#away(error, sent);
      throw error;
    }
  }

  #away(error: unknown, sent: readonly CallWrite[]): void {
    const { presence, log, stopping } = this.#options;
    const holds = sent.filter(({ kind }) => kind === "hold").length;
    const closes = sent.length - holds;
    presence.lost();
    if (holds > 0) log.error({ err: error, calls: holds }, "holds could not be written");
    if (closes === 0 || stopping.aborted || this.#pausing !== undefined) return;
    const pauseMs = this.#pauseMs;
    log.warn({ err: error, calls: closes, pauseMs }, "closes wait for the database");
    this.#pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    this.#pausing = pause(pauseMs, stopping).then(() => {
      this.#pausing = undefined;
    });
  }
}

/** Ends early when the signal does. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, delayMs);
    signal.addEventListener("abort", end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
