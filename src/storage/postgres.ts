import pg from "pg";
import type { Log } from "../core/log.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import type { Migration } from "./migrate.ts";
import { databaseOverPool } from "./pooled-database.ts";
import { typeParsers } from "./type-parsers.ts";

/**
 * Connections of a node: those of `run`, which calls wait for, and those of all else. A node whose reports kept its sign of
 * life waiting would be taken for dead by the others, which close its calls.
 */
const connectionsForCalls = 4;
const connectionsForTheRest = 6;
const connectTimeoutMs = 5_000;
const statementTimeoutMs = 30_000;
/** Longer than the server's own limit: it only ends waits for a server that vanished without a word. */
const answerTimeoutMs = 35_000;
const idleTimeoutMs = 60_000;
/**
 * What every statement is made for: after a wait for a lock it reads what the holder committed. A server, database or user
 * with another default would answer calls that meet with failed serializations.
 */
const isolation = "set session characteristics as transaction isolation level read committed";

export type PostgresSettings = {
  readonly databaseUrl: string;
  readonly migrations: readonly Migration[];
  readonly log: Log;
};

/** The database on a PostgreSQL server, which several processes may share. */
export async function openPostgres(settings: PostgresSettings): Promise<Database> {
  const connection: pg.ClientConfig = {
    connectionString: settings.databaseUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: "skillboss",
    types: typeParsers,
  };
  await migrate(new pg.Client(connection), settings.migrations);
  const { log } = settings;
  return databaseOverPool(
    "postgres",
    postgresPool({ ...connection, max: connectionsForCalls }, log),
    postgresPool({ ...connection, max: connectionsForTheRest }, log),
  );
}

function postgresPool(connection: pg.PoolConfig, log: Log): pg.Pool {
  const pool = new pg.Pool({
    ...connection,
    idleTimeoutMillis: idleTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: answerTimeoutMs,
    verify: (client, done) => client.query(isolation, (error?: Error | null) => done(error ?? undefined)),
  });
  pool.on("error", (error) => {
    log.warn({ reason: error.message }, "an idle database connection broke");
  });
  return pool;
}
