import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import { TurnableClock } from "../core/clock.ts";
import type { LogFields } from "../core/log.ts";
import { silentLog } from "../core/log.ts";
import { newId } from "../core/ids.ts";
import type { Database } from "../storage/database.ts";
import { openDatabase } from "../storage/open-database.ts";
import type { FileOwner } from "./file-rows.ts";
import type { FileStore } from "./file-store.ts";
import { filesOf } from "./files.ts";
import type { Files } from "./files.ts";
import { localFileStore } from "./local-file-store.ts";

export type FilesUnderTest = {
  readonly files: Files;
  readonly store: FileStore;
  readonly database: Database;
  readonly clock: TurnableClock;
  /** Another one over the same database and clock: as after a restart, or with a store that fails. */
  again(change?: Change): Files;
  /** The names of what lies in the store. */
  stored(): readonly string[];
  rowCount(): Promise<number>;
  readonly warnings: readonly LogFields[];
  readonly close: () => Promise<void>;
};

type Change = { readonly store?: FileStore; readonly secret?: string; readonly removalMs?: number };

/** Files over a new database, in a new folder, under a clock that stands still. A sentence where there is no such home. */
export async function openFiles(home: Database["home"]): Promise<FilesUnderTest | string> {
  const opened = await openHome(home);
  if (typeof opened === "string") return opened;
  const { database } = opened;
  const directory = mkdtempSync(join(tmpdir(), "skillboss-files-"));
  const clock = new TurnableClock();
  const warnings: LogFields[] = [];
  const log = { ...silentLog, warn: (fields: LogFields) => warnings.push(fields) };
  const store = localFileStore(directory);
  const again: FilesUnderTest["again"] = (change) =>
    filesOf({ database, store, clock, secret: "master", log, ...change });
  return {
    files: again(),
    store,
    database,
    clock,
    again,
    warnings,
    stored: () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    async rowCount() {
      const rows = await database.kysely.selectFrom("files").select("id").execute();
      return rows.length;
    },
    async close() {
      await opened.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

type OpenedHome = { readonly database: Database; readonly close: () => Promise<void> };

async function openHome(home: Database["home"]): Promise<OpenedHome | string> {
  if (home === "postgres") {
    const server = await startPostgres();
    if ("skipped" in server) return server.skipped;
    const database = await openDatabase({
      databaseUrl: await server.freshDatabase(),
      directory: "",
      log: silentLog,
    });
    return { database, close: () => database.close() };
  }
  const directory = await freshDataDirectory();
  const database = await openDatabase({ directory, log: silentLog });
  const close = async (): Promise<void> => {
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { database, close };
}

/** Somebody who has no files yet; an account only where its plan is asked for. */
export function newOwner(mode: FileOwner["mode"] = "live"): FileOwner {
  return { accountId: newId("acc"), mode };
}

export async function* bodyOf(text: string | Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from(text);
}
