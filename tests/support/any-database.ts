import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { silentLog } from "../../src/core/log.ts";
import type { Database } from "../../src/storage/database.ts";
import { openDatabase } from "../../src/storage/open-database.ts";
import { freshDataDirectory } from "./embedded.ts";
import { freshDatabaseHere } from "./postgres.ts";

export type AnyDatabase = { readonly database: Database; readonly clearAway: () => Promise<void> };

/**
 * A real database with our tables, for whom any will do: one on the PostgreSQL server that all files share, because that
 * costs a tenth, else an embedded one.
 */
export async function openAnyDatabase(): Promise<AnyDatabase> {
  const shared = await freshDatabaseHere();
  if (shared !== undefined) {
    const database = await openDatabase({ databaseUrl: shared.url, directory: tmpdir(), log: silentLog });
    const clearAway = async (): Promise<void> => {
      await database.close();
      await shared.drop();
    };
    return { database, clearAway };
  }
  const directory = await freshDataDirectory();
  const database = await openDatabase({ directory, log: silentLog });
  const clearAway = async (): Promise<void> => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { database, clearAway };
}
