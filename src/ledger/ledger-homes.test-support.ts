import { rm } from "node:fs/promises";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import { newId } from "../core/ids.ts";
import { silentLog } from "../core/log.ts";
import type { Database } from "../storage/database.ts";
import { openDatabase } from "../storage/open-database.ts";
import { openBooks } from "./balances.ts";

/** A new database for the tests of a ledger. */
export type LedgerHome = {
  readonly database: Database;
  /** As another process has it: connections of its own, except on the embedded home, which has only one. */
  readonly otherDatabase: Database;
  readonly close: () => Promise<void>;
};

/**
 * Both homes, with a sentence in place of one that this machine does not have. To be awaited before the first suite of
 * a file: as soon as the suites known so far have ended, the test runner runs the `after` hooks of the whole file.
 */
export async function openHomes(): Promise<
  readonly { readonly name: Database["home"]; readonly home: LedgerHome | string }[]
> {
  const names = ["embedded", "postgres"] as const;
  return Promise.all(names.map(async (name) => ({ name, home: await openHome(name) })));
}

export async function openHome(home: Database["home"]): Promise<LedgerHome | string> {
  if (home === "embedded") {
    const directory = await freshDataDirectory();
    const database = await openDatabase({ directory, log: silentLog });
    const close = async (): Promise<void> => {
      await database.close();
      await rm(directory, { recursive: true, force: true });
    };
    return { database, otherDatabase: database, close };
  }
  const server = await startPostgres();
  if ("skipped" in server) return server.skipped;
  const url = await server.freshDatabase();
  const open = (): Promise<Database> => openDatabase({ databaseUrl: url, directory: "", log: silentLog });
  const [database, otherDatabase] = [await open(), await open()];
  const close = async (): Promise<void> => {
    await otherDatabase.close();
    await database.close();
  };
  return { database, otherDatabase, close };
}

/** An account with empty books. */
export async function addAccount(database: Database): Promise<string> {
  const id = newId("acc");
  await database.kysely
    .insertInto("accounts")
    .values({ id, name: "Ada", plan: "pro", requests_per_minute: null, concurrent_requests: null })
    .execute();
  await openBooks(database.kysely, id);
  return id;
}
