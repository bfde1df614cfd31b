import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { Mode, PlanName } from "../core/caller.ts";
import type { Database } from "../storage/database.ts";
import type { Tables } from "../storage/tables.ts";
import type { FileRoom } from "./file-limits.ts";

export type FileRecord = {
  readonly id: string;
  readonly accountId: string;
  readonly mode: Mode;
  /** The run that made it; null for an upload. */
  readonly runId: string | null;
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  /** From then on it is not there. */
  readonly expiresAt: Date;
};

/** Whose file: what another account or the other mode has is not there. */
export type FileOwner = { readonly accountId: string; readonly mode: Mode };

export type NewFile = FileOwner & { readonly id: string; readonly runId: string | undefined };

export type FinishedFile = Pick<FileRecord, "id" | "name" | "contentType" | "sizeBytes" | "expiresAt">;

export type FilePage = FileOwner & {
  readonly limit: number;
  /** The id of the last file of the page before, whether or not it is still there. */
  readonly after?: string | undefined;
};

/** This long after its first byte nobody still writes a file. */
export const mostWritingMs = 6 * 3_600_000;

/**
 * The rows of files. A row is there before its file's first byte and until after its last, so that no bytes are ever
 * without a row that says when they go; whoever reads sees only what is whole and has not expired at `now`.
 */
export class FileRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async planOf(accountId: string): Promise<PlanName | undefined> {
    const account = this.#database.kysely.selectFrom("accounts").select("plan").where("id", "=", accountId);
    return (await account.executeTakeFirst())?.plan;
  }

  /** A row that nobody sees: it expires as it begins, and has no content type before there is content. */
  async begin({ id, accountId, mode, runId }: NewFile, now: Date): Promise<void> {
    await this.#database.kysely
      .insertInto("files")
      .values({
        id,
        account_id: accountId,
        mode,
        run_id: runId ?? null,
        name: "",
        content_type: "",
        size_bytes: 0n,
        created_at: now,
        expires_at: now,
      })
      .execute();
  }

  /** Shows it. Undefined when its row was swept away meanwhile. */
  async finish(file: FinishedFile): Promise<FileRecord | undefined> {
    const row = await this.#database.kysely
      .updateTable("files")
      .set({
        name: file.name,
        content_type: file.contentType,
        size_bytes: BigInt(file.sizeBytes),
        expires_at: file.expiresAt,
      })
      .where("id", "=", file.id)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? undefined : recordOf(row);
  }

  async find(id: string, now: Date): Promise<FileRecord | undefined> {
    const row = await this.#visible(now).where("id", "=", id).executeTakeFirst();
    return row === undefined ? undefined : recordOf(row);
  }

  async findOwn(id: string, { accountId, mode }: FileOwner, now: Date): Promise<FileRecord | undefined> {
    const row = await this.#visible(now)
      .where("id", "=", id)
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .executeTakeFirst();
    return row === undefined ? undefined : recordOf(row);
  }

  /** Newest first. Ids grow with time, so that a page can follow a file that was removed meanwhile. */
  async list({ accountId, mode, limit, after }: FilePage, now: Date): Promise<readonly FileRecord[]> {
    const own = this.#visible(now).where("account_id", "=", accountId).where("mode", "=", mode);
    const rows = await (after === undefined ? own : own.where("id", "<", after))
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(limit)
      .execute();
    return rows.map(recordOf);
  }

  /** How much an account has: what can be read, so that nothing counts that is gone. */
  async taken({ accountId, mode }: FileOwner, now: Date): Promise<FileRoom> {
    const { files, bytes } = await this.#database.kysely
      .selectFrom("files")
      .select(({ fn }) => [
        fn.countAll<bigint>().as("files"),
        sql<bigint>`coalesce(sum(size_bytes), 0)::bigint`.as("bytes"),
      ])
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .where("expires_at", ">", now)
      .where(isDone)
      .executeTakeFirstOrThrow();
    return { files: Number(files), bytes: Number(bytes) };
  }

  /** Ids of what a run has made so far, whether or not it can be read yet. */
  async madeBy(runId: string, { accountId, mode }: FileOwner, now: Date): Promise<readonly string[]> {
    const rows = await this.#database.kysely
      .selectFrom("files")
      .select("id")
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .where("run_id", "=", runId)
      .where("expires_at", ">", now)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Lets a file expire now. False when there was none. */
  async expire(id: string, { accountId, mode }: FileOwner, now: Date): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.kysely
      .updateTable("files")
      .set({ expires_at: now })
      .where("id", "=", id)
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .where("expires_at", ">", now)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Ids behind `after` of files that have expired, and of those whose writer is gone; in the order of ids. */
  async due(now: Date, after: string, limit: number): Promise<readonly string[]> {
    const abandoned = new Date(now.getTime() - mostWritingMs);
    const rows = await this.#database.kysely
      .selectFrom("files")
      .select("id")
      .where("id", ">", after)
      .where("expires_at", "<=", now)
      .where((row) => row.or([row("content_type", "<>", ""), row("created_at", "<=", abandoned)]))
      .orderBy("id")
      .limit(limit)
      .execute();
    return rows.map(({ id }) => id);
  }

  async drop(id: string): Promise<void> {
    await this.#database.kysely.deleteFrom("files").where("id", "=", id).execute();
  }

  #visible(now: Date) {
    return this.#database.kysely.selectFrom("files").selectAll().where("expires_at", ">", now).where(isDone);
  }
}

/**
 * What a run made is there when the run is done: until then it can be called off, and then it was not paid for. Of a run
 * that is not there any more nothing speaks against its files. A subquery of its own is looked up by the key for each row,
 * and never becomes a join over all runs.
 */
const isDone = sql<boolean>`coalesce((
  select coalesce(runs.ending, 'failed') from runs where runs.id = files.run_id
), 'done') in ('done', 'empty')`;

function recordOf(row: Selectable<Tables["files"]>): FileRecord {
  return {
    id: row.id,
    accountId: row.account_id,
    mode: row.mode,
    runId: row.run_id,
    name: row.name,
    contentType: row.content_type,
    sizeBytes: Number(row.size_bytes),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
