import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A statement of the hot path: fixed text, bound parameters, prepared once per connection under its name. */
export type Statement = { readonly name: string; readonly text: string };

/**
 * One SQL dialect on two homes: PostgreSQL over a socket, or PGlite in a worker thread of this process.
 * int8 and numeric always arrive as bigint and string, timestamptz as Date, jsonb parsed, bytea as Buffer.
 */
export type Database = {
  readonly home: "embedded" | "postgres";
  /** For everything that is not on the hot path. */
  readonly kysely: Kysely<Tables>;
  /** On a server these have connections of their own, which no long read of `kysely` takes from them. */
  run(statement: Statement, parameters: readonly unknown[]): Promise<readonly Row[]>;
  /** Flushes, checkpoints where that is ours to do, and closes. */
  close(): Promise<void>;
};

/** The database is away or went away during a statement: whether that statement took effect is not known. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super("the database is not available", { cause });
    this.name = "DatabaseUnavailable";
  }
}
