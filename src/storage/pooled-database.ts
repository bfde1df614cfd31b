import { Kysely, PostgresDialect } from "kysely";
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from "kysely";
import type pg from "pg";
import { endsConnection, statementError } from "./connection-failure.ts";
import { DatabaseUnavailable } from "./database.ts";
import type { Database, Row, Statement } from "./database.ts";
import type { Tables } from "./tables.ts";

/**
 * `Database` over pools of the driver, one for `run` and one for Kysely, which may be the same: what both homes share.
 * Closing ends them.
 */
export function databaseOverPool(home: Database["home"], pool: pg.Pool, other: pg.Pool = pool): Database {
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: kyselyPool(other) }) });
  const end = async (): Promise<void> => {
    await Promise.all(Array.from(new Set([pool, other]), (each) => each.end()));
  };
  let closing: Promise<void> | undefined;
  return {
    home,
    kysely,
    run: (statement, parameters) => runNamed(pool, statement, parameters),
    close: () => (closing ??= end()),
  };
}

/**
 * Not `pool.query`: that drops the connection after any error, also after an ordinary constraint violation, and with it
 * all prepared statements.
 */
async function runNamed(
  pool: pg.Pool,
  statement: Statement,
  parameters: readonly unknown[],
): Promise<readonly Row[]> {
  const client = await connected(pool);
  let failure: unknown;
  try {
    const result = await client.query<Row>({
      name: statement.name,
      text: statement.text,
      values: [...parameters],
    });
    return result.rows;
  } catch (error) {
    failure = error;
    throw statementError(error);
  } finally {
    giveBack(client, endsConnection(failure));
  }
}

async function connected(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    const client = await pool.connect();
    client.on("error", ignoreError);
    return client;
  } catch (error) {
    // Whatever the reason, a changed password as well: no statement was sent, and none can be.
    throw error instanceof DatabaseUnavailable ? error : new DatabaseUnavailable(error);
  }
}

function giveBack(client: pg.PoolClient, isBroken: boolean): void {
  client.off("error", ignoreError);
  client.release(isBroken);
}

/** A connection that breaks while lent out also fails its statement; that is where it is reported. */
function ignoreError(): void {}

/** The pool as Kysely wants it, with our errors, and without lending out a broken connection again. */
function kyselyPool(pool: pg.Pool): PostgresPool {
  return {
    options: {},
    connect: async () => kyselyClient(await connected(pool)),
    // The pool ends with the `Database`, not with Kysely.
    end: () => Promise.resolve(),
  };
}

function kyselyClient(client: pg.PoolClient): PostgresPoolClient {
  let isBroken = false;
  function query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  function query<R>(
    text: string | PostgresCursor<R>,
    parameters?: readonly unknown[],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof text !== "string") throw new TypeError("cursors are not supported: page by key instead");
    return client.query(text, [...(parameters ?? [])]).then(
      // The driver types the command tag as any string, Kysely as the tags it looks at.
      (result) => result as unknown as PostgresQueryResult<R>,
      (error: unknown) => {
        isBroken ||= endsConnection(error);
        throw statementError(error);
      },
    );
  }
  return {
    query,
    release(isDiscarded) {
      giveBack(client, isBroken || isDiscarded === true);
    },
  };
}
