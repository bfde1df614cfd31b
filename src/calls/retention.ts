import type { Log } from "../core/log.ts";
import { runAgain } from "../ledger/ledger-statements.ts";
import type { Database, Statement } from "../storage/database.ts";

const sweepEveryMs = 3_600_000;
const mostSwept = 500;

/**
 * Ids begin with the time they were made at, so the oldest rows are found by the primary key. Time is the database's, as
 * it is for answers kept under an `Idempotency-Key`: those are kept for a day, and their runs never go before them.
 */
const forgetOf = (table: "runs" | "deliveries", prefix: string, isDone: string): Statement => ({
  name: `${table}_forget`,
  text: `with cut as (select clock_timestamp() - $1::integer * interval '1 day' as at)
    delete from ${table} where id in (
      select id from ${table}
      where id < (select '${prefix}_' || lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') from cut)
        and ${isDone}
      order by id limit ${mostSwept} for update skip locked)
    returning 1 as forgotten`,
});

/** Nothing changes a run that is over. With it go its events. Its receipt and its transfers are money, and stay. */
const forgetRuns = forgetOf("runs", "run", "state = 'over' and updated_at < (select at from cut)");
const forgetDeliveries = forgetOf(
  "deliveries",
  "msg",
  "state <> 'waiting' and created_at < (select at from cut)",
);

export type RetentionOptions = {
  readonly database: Database;
  readonly log: Log;
  /** How long a run is there after its end, and a message after it was written. 0: for ever. */
  readonly days: number;
};

export type Forgotten = { readonly runs: number; readonly deliveries: number };

/**
 * Removes runs that ended long ago and messages that were sent long ago: what they brought is their customers', and would
 * grow without end. Several processes may do so at once.
 */
export class Retention {
  readonly #options: RetentionOptions;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Begins at once, so that a process that never lives as long as the pause sweeps too. */
  start(): void {
    if (this.#options.days === 0) return;
    const look = (): void => {
      this.#sweeping = this.#sweepQuietly();
    };
    look();
    this.#timer = setInterval(look, sweepEveryMs).unref();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** Removes all that is due. Rejects when the database is away. */
  async sweep(): Promise<Forgotten> {
    if (this.#options.days === 0) return { runs: 0, deliveries: 0 };
    return { runs: await this.#all(forgetRuns), deliveries: await this.#all(forgetDeliveries) };
  }

  /** Page by page, so that other statements get in between. */
  async #all(forget: Statement): Promise<number> {
    let forgotten = 0;
    while (!this.#isStopping) {
      const page = await runAgain(this.#options.database, forget, [this.#options.days]);
      forgotten += page.length;
      if (page.length < mostSwept) break;
    }
    return forgotten;
  }

  async #sweepQuietly(): Promise<void> {
    const { log } = this.#options;
    try {
      const forgotten = await this.sweep();
      if (forgotten.runs + forgotten.deliveries > 0)
        log.info(forgotten, "old runs and messages were removed");
    } catch (error) {
      log.warn({ err: error }, "old runs and messages could not be removed");
    }
  }
}
