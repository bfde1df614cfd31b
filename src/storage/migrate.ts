import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { statementError } from "./connection-failure.ts";

/** A file of `migrations/`: applied once, in the order of the names, never changed afterwards. */
export type Migration = { readonly name: string; readonly sql: string };

/** Any number that nobody else uses as the key of an advisory lock in our database. */
const lockKey = 7_283_119_442n;

const fileName = /^\d{4}-[a-z0-9-]+\.sql$/;

/**
 * Brings the schema up to date over a connection of its own, which it ends: one without time limits, since a migration
 * of a large table, or the wait for another process that runs one, may take its time. Each migration commits together
 * with its row in `migrations`, so being killed at any point leaves either both or neither. Several processes may do
 * this at once on one server; they take turns.
 */
export async function migrate(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  // A connection that breaks fails the statement on it; that is where it is reported.
  client.on("error", () => {});
  try {
    await client.connect();
    // The server, the database or the user may have limits of their own.
    await client.query("set statement_timeout = 0; set lock_timeout = 0");
    // Held by the session, so it ends with it, in whatever way.
    await client.query("select pg_advisory_lock($1)", [lockKey]);
    await applyMissing(client, migrations);
  } catch (error) {
    throw statementError(error);
  } finally {
    await client.end();
  }
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  await client.query(
    `create table if not exists migrations (
      name text primary key,
      sha256 text not null,
      applied_at timestamptz not null default now()
    )`,
  );
  const { rows } = await client.query<{ name: string; sha256: string }>(
    "select name, sha256 from migrations order by name",
  );
  refuseUnknown(rows, migrations);
  const applied = new Set(rows.map(({ name }) => name));
  for (const migration of migrations) {
    if (!applied.has(migration.name)) await apply(client, migration);
  }
}

async function apply(client: pg.Client, { name, sql }: Migration): Promise<void> {
  await client.query("begin");
  await client.query(sql);
  await client.query("insert into migrations (name, sha256) values ($1, $2)", [name, sha256(sql)]);
  await client.query("commit");
}

function refuseUnknown(
  applied: readonly { readonly name: string; readonly sha256: string }[],
  migrations: readonly Migration[],
): void {
  const known = new Map(migrations.map(({ name, sql }) => [name, sha256(sql)]));
  for (const { name, sha256: hash } of applied) {
    const expected = known.get(name);
    if (expected === undefined) {
      throw new Error(
        `The database has the migration ${name}, which this build does not know: it was used by a newer version. ` +
          "Start that version again, or restore a backup from before it.",
      );
    }
    if (expected !== hash) {
      throw new Error(
        `The migration ${name} was changed after it was applied to this database. ` +
          "Put the file back as it was and make the change in a new migration.",
      );
    }
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The migrations of this build, in order. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const folder = new URL("./migrations/", import.meta.url);
  const names = (await readdir(folder)).filter((name) => fileName.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), "utf8") })),
  );
}
