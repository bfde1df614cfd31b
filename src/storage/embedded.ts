import pg from "pg";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Database } from "./database.ts";
import { EmbeddedEngine } from "./embedded-engine.ts";
import { Maintenance } from "./maintenance.ts";
import { migrate } from "./migrate.ts";
import type { Migration } from "./migrate.ts";
import { databaseOverPool } from "./pooled-database.ts";
import { typeParsers } from "./type-parsers.ts";

/** How long a statement may wait for its turn on the only connection. */
const turnTimeoutMs = 30_000;
/** Far longer than any statement of ours takes, vacuum of a large table included. */
const answerTimeoutMs = 10 * 60_000;

export type EmbeddedSettings = {
  readonly directory: string;
  readonly migrations: readonly Migration[];
  readonly log: Log;
  readonly clock: Clock;
  /** When a statement takes longer, its thread is taken to be stuck, is ended, and starts anew. */
  readonly answerTimeoutMs?: number | undefined;
};

export type EmbeddedDatabase = Database & {
  /** How often data was forced to disk since the thread started. */
  fsyncs(): Promise<number>;
  /** One look at whether housekeeping is due; a timer does the same. */
  maintain(): Promise<void>;
};

/** The database in `directory`, run by a thread of this process. The caller holds the lock on the directory. */
export async function openEmbedded(settings: EmbeddedSettings): Promise<EmbeddedDatabase> {
  const { directory, migrations, log, clock } = settings;
  const engine = new EmbeddedEngine(directory, log);
  const connection: pg.ClientConfig = {
    // All of it named, so that nothing of the PG… environment variables leaks in.
    host: "embedded",
    port: 5432,
    user: "postgres",
    database: "postgres",
    password: "",
    ssl: false,
    application_name: "skillboss",
    stream: () => engine.stream(),
    types: typeParsers,
  };
  try {
    await migrate(new pg.Client(connection), migrations);
  } catch (error) {
    await engine.close();
    throw error;
  }
  const pool = embeddedPool(
    { ...connection, query_timeout: settings.answerTimeoutMs ?? answerTimeoutMs },
    log,
  );
  const maintenance = new Maintenance(pool, clock, log);
  maintenance.start();
  const database = databaseOverPool("embedded", pool);
  let closing: Promise<void> | undefined;
  return {
    ...database,
    fsyncs: () => engine.fsyncs(),
    maintain: () => maintenance.look(),
    close: () => (closing ??= shutDown()),
  };

  async function shutDown(): Promise<void> {
    await maintenance.stop();
    await pool.query("checkpoint").catch((error: unknown) => {
      // Nothing is lost: the next start replays the log instead.
      log.warn({ reason: String(error) }, "no checkpoint on the way out");
    });
    await database.close();
    await engine.close();
  }
}

/** The driver's pool over the embedded database: one connection, whose queue is what keeps transactions apart. */
function embeddedPool(connection: pg.ClientConfig, log: Log): pg.Pool {
  const pool = new pg.Pool({
    ...connection,
    max: 1,
    connectionTimeoutMillis: turnTimeoutMs,
    idleTimeoutMillis: 0,
  });
  pool.on("error", (error) => {
    log.warn({ reason: error.message }, "the session of the embedded database broke");
  });
  return pool;
}
