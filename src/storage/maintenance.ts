import type pg from "pg";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";

const mebibyte = 1024n * 1024n;

/** A checkpoint bounds the log on disk and the time a start after a crash takes: by volume, or by time if anything was written. */
const checkpointAfterBytes = 32n * mebibyte;
const checkpointAfterMs = 5 * 60_000;
/** The records of a checkpoint itself stay below this. */
const nothingWrittenBytes = 4_096n;

const vacuumAfterBytes = 128n * mebibyte;
const vacuumAfterMs = 10 * 60_000;
const vacuumWorthwhileBytes = mebibyte;

const lookEveryMs = 10_000;

type LogPosition = { readonly position: bigint; readonly sinceCheckpoint: bigint };

/**
 * What the background processes of a PostgreSQL server would do: the embedded database has none, so without this its log
 * and its tables grow without end. Each step waits its turn on the one connection and lets other statements in between.
 */
export class Maintenance {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #checkpointAt: number;
  #vacuumAt: number;
  #vacuumPosition: bigint | undefined;

  constructor(pool: pg.Pool, clock: Clock, log: Log) {
    this.#pool = pool;
    this.#clock = clock;
    this.#log = log;
    this.#checkpointAt = clock.monotonic();
    this.#vacuumAt = clock.monotonic();
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
    this.#timer.unref();
  }

  /** Looks once and does what is due. Never throws: a failure is logged and tried again at the next look. */
  look(): Promise<void> {
    this.#running ??= this.#doWhatIsDue()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn({ reason }, "maintenance of the embedded database failed");
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Ends the schedule and waits for a step that runs. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #doWhatIsDue(): Promise<void> {
    const log = await this.#logPosition();
    this.#vacuumPosition ??= log.position;
    if (this.#isVacuumDue(log.position)) {
      await this.#vacuum();
      this.#vacuumPosition = (await this.#logPosition()).position;
      this.#vacuumAt = this.#clock.monotonic();
    }
    if (this.#isCheckpointDue(log.sinceCheckpoint)) {
      await this.#pool.query("checkpoint");
      this.#checkpointAt = this.#clock.monotonic();
    }
  }

  #isCheckpointDue(written: bigint): boolean {
    if (written >= checkpointAfterBytes) return true;
    return written > nothingWrittenBytes && this.#clock.monotonic() - this.#checkpointAt >= checkpointAfterMs;
  }

  #isVacuumDue(position: bigint): boolean {
    const written = position - (this.#vacuumPosition ?? position);
    if (written >= vacuumAfterBytes) return true;
    return written >= vacuumWorthwhileBytes && this.#clock.monotonic() - this.#vacuumAt >= vacuumAfterMs;
  }

  /** Table by table, so that no statement waits for all of them. */
  async #vacuum(): Promise<void> {
    const { rows } = await this.#pool.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'",
    );
    for (const { name } of rows) await this.#pool.query(`vacuum (analyze) ${name}`);
  }

  async #logPosition(): Promise<LogPosition> {
    const { rows } = await this.#pool.query<{ position: string; since: string }>(
      `select pg_current_wal_insert_lsn() - '0/0' as position, pg_current_wal_insert_lsn() - redo_lsn as since
       from pg_control_checkpoint()`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the position in the log is not known");
    return { position: BigInt(row.position), sinceCheckpoint: BigInt(row.since) };
  }
}
