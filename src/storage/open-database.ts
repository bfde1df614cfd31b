import { systemClock } from "../core/clock.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Database } from "./database.ts";
import { openEmbedded } from "./embedded.ts";
import { readMigrations } from "./migrate.ts";
import { openPostgres } from "./postgres.ts";

export type DatabaseSettings = {
  /** A PostgreSQL server; without it the database is embedded and lies in `directory`. */
  readonly databaseUrl?: string | undefined;
  /** The data directory. The caller holds its lock: two processes on one embedded database destroy it. */
  readonly directory: string;
  readonly log: Log;
  readonly clock?: Clock | undefined;
};

/** Opens the database and brings its schema up to date. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  const { databaseUrl, directory, log, clock = systemClock } = settings;
  const migrations = await readMigrations();
  if (databaseUrl !== undefined) return openPostgres({ databaseUrl, migrations, log });
  return openEmbedded({ directory, migrations, log, clock });
}
