import type { Clock } from "../core/clock.ts";
import type { Credits } from "../core/credits.ts";
import type { Log } from "../core/log.ts";
import { Problem } from "../core/problems.ts";
import type { Receipt } from "../core/receipt.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database } from "../storage/database.ts";
import { auditBooks } from "./audit.ts";
import { balancesOfOne, grantCredits, readBalances } from "./balances.ts";
import { CallWrites } from "./call-writes.ts";
import { DeliveredNotes } from "./delivered-notes.ts";
import type { Audit, Balances, Closed, Grant, HoldAnswer, HoldRequest, Ledger } from "./ledger.ts";
import type { TransferLine, TransferQuery } from "./ledger.ts";
import { NodePresence } from "./node-presence.ts";
import type { DeadNodes } from "./node-presence.ts";
import { readTransfers } from "./transfer-lines.ts";

export type SqlLedgerOptions = {
  readonly database: Database;
  /** Fresh at every start of a process: holds under another id are another process's. */
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a node may be silent before its calls are closed; default 8 s, four beats. */
  readonly deadAfterMs?: number;
  /** Nodes known to be dead already; default: all others on the embedded home, none on PostgreSQL. */
  readonly deadNodes?: DeadNodes;
};

export function sqlLedger(options: SqlLedgerOptions): Ledger {
  return new SqlLedger(options);
}

const retryAfterSeconds = 1;

class SqlLedger implements Ledger {
  readonly #database: Database;
  readonly #nodeId: string;
  readonly #log: Log;
  readonly #presence: NodePresence;
  readonly #notes: DeliveredNotes;
  readonly #writes: CallWrites;
  readonly #stopping = new AbortController();

  constructor(options: SqlLedgerOptions) {
    const { database, nodeId, clock, log, deadAfterMs = 8000 } = options;
    const deadNodes = options.deadNodes ?? (database.home === "embedded" ? "all-others" : []);
    this.#database = database;
    this.#nodeId = nodeId;
    this.#log = log;
    this.#presence = new NodePresence({ database, nodeId, clock, log, deadAfterMs, deadNodes });
    this.#notes = new DeliveredNotes(database, log);
    this.#writes = new CallWrites({
      database,
      nodeId,
      clock,
      log,
      presence: this.#presence,
      stopping: this.#stopping.signal,
    });
  }

  hold(request: HoldRequest): Promise<HoldAnswer> {
    if (this.#stopping.signal.aborted) return Promise.reject(new Problem("shutting_down"));
    return this.#writes.hold(request);
  }

  close(receipt: Receipt): Promise<Closed> {
    this.#notes.drop(receipt.callId);
    return this.#writes.close(receipt);
  }

  delivered(callId: string, cost: Credits): void {
    this.#notes.note(callId, cost);
  }

  grant(grant: Grant): Promise<Balances> {
    return answered(grantCredits(this.#database, grant));
  }

  balances(accountId: string): Promise<Balances> {
    return answered(balancesOfOne(this.#database, accountId));
  }

  balancesOf(accountIds: readonly string[]): Promise<ReadonlyMap<string, Balances>> {
    return answered(readBalances(this.#database, accountIds));
  }

  transfers(
    query: TransferQuery,
  ): Promise<{ readonly lines: readonly TransferLine[]; readonly hasMore: boolean }> {
    return answered(readTransfers(this.#database, query));
  }

  audit(): Promise<Audit> {
    return answered(auditBooks(this.#database, this.#nodeId));
  }

  recover(): Promise<number> {
    return answered(this.#presence.recover());
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#notes.stop();
    await this.#writes.idle();
    try {
      await this.#notes.write();
      await this.#presence.leave();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      this.#log.warn({ err: error }, "stopped while the database was away; another process closes our calls");
    }
  }
}

/** A database that is away is the house's fault, never the customer's. */
async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof DatabaseUnavailable) {
      throw new Problem("service_unavailable", { retryAfterSeconds, cause: error });
    }
    throw error;
  }
}
