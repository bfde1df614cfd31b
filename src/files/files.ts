import type { Readable } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database } from "../storage/database.ts";
import { ArrivingFiles, NoRoom } from "./arriving-files.ts";
import type { ArrivingFile } from "./arriving-files.ts";
import { contentTypeOf } from "./content-type.ts";
import { fileLimitsOf } from "./file-limits.ts";
import type { FileLimits, FileRoom } from "./file-limits.ts";
import { fileLinksOf } from "./file-links.ts";
import type { FileLink, FileLinks } from "./file-links.ts";
import { keptName, nameFor } from "./file-name.ts";
import { FileRows } from "./file-rows.ts";
import type { FileOwner, FilePage, FileRecord } from "./file-rows.ts";
import { FileTooLarge, isStoreId } from "./file-store.ts";
import type { ByteRange, FileStore, OpenedFile } from "./file-store.ts";
import { FileSweeper } from "./file-sweeper.ts";
import { watchedBody } from "./watched-body.ts";

export type NewUpload = FileOwner & {
  /** Default: those of the account's plan. */
  readonly limits?: FileLimits | undefined;
  /** How long the body will be, where that is known: it takes its room before it is read. */
  readonly sizeBytes?: number | undefined;
  /** The run that made it, if one did. Results always find room. */
  readonly runId?: string | undefined;
  /** As the sender calls it; cleaned before it is kept. */
  readonly name?: string | undefined;
  /** The content type as the sender has it. */
  readonly hint?: string | undefined;
  /** Read once, at the pace of the store. What it throws comes out of `store`. */
  readonly body: AsyncIterable<Buffer>;
};

/** Results of runs and customers' uploads: the bytes in a store, what is known of them in the database. */
export type Files = {
  /** Of an account's plan, as it is now. */
  limitsOf(accountId: string): Promise<FileLimits>;
  /**
   * Rejects with `request_too_large` over the limit or where an upload finds no room, with `concurrency_limit_exceeded`
   * where its account has too many under way, with the body's own error when that breaks off, and with
   * `service_unavailable` when database or store are away. Nothing that can be read is left behind then.
   */
  store(upload: NewUpload): Promise<FileRecord>;
  /** Rejects with `not_found`, in the same way for what another account has and for what nobody has. */
  read(id: string, owner: FileOwner): Promise<FileRecord>;
  /** The file that a signed address names; `not_found` when it is not ours, has run out, or its file is gone. */
  readSigned(link: FileLink): Promise<FileRecord>;
  /**
   * The bytes of an account's own file by its signed address, without going through the network. Undefined for any other
   * address. Rejects with `request_too_large` above `maxBytes`.
   */
  readOwn(url: string, owner: FileOwner & { readonly maxBytes: number }): Promise<OwnFile | undefined>;
  /** Whether `readOwn` would find it. */
  hasOwn(url: string, owner: FileOwner): Promise<boolean>;
  /** The bytes of a file that was read before, or a part. Whoever opens it reads it to its end or destroys it. */
  open(file: FileRecord, range?: ByteRange): Promise<Readable>;
  /** All its bytes in memory. Rejects with `service_unavailable` when the store breaks off. */
  whole(file: FileRecord): Promise<Buffer>;
  /** Newest first. */
  list(page: FilePage): Promise<{ readonly files: readonly FileRecord[]; readonly hasMore: boolean }>;
  /** Ids of what a run has made so far, whether or not it can be read yet. Rejects as the database does. */
  madeBy(runId: string, owner: FileOwner): Promise<readonly string[]>;
  /** From then on the file cannot be read, whatever happens to this process. Rejects with `not_found`. */
  remove(id: string, owner: FileOwner): Promise<void>;
  /** Where the content can be had without a key, no longer than the file lives. */
  urlOf(file: FileRecord, publicUrl: string): string;
  /** Removes what has expired and what was never finished. Answers how many files that were. */
  sweep(): Promise<number>;
  startSweeping(everyMs: number): void;
  /** Ends the sweeping, waiting for it a few seconds, and lets go of the store. To be awaited before the database closes. */
  stop(): Promise<void>;
};

export type OwnFile = { readonly bytes: Buffer; readonly contentType: string };

export type FilesHouse = {
  readonly database: Database;
  readonly store: FileStore;
  readonly clock: Clock;
  /** The server's master secret. Another one makes all addresses given out so far invalid. */
  readonly secret: string | Uint8Array;
  readonly log: Log;
  /** So long a customer waits for bytes to go, at most; nobody can read them by then in any case. Default 5 s. */
  readonly removalMs?: number | undefined;
};

export function filesOf(house: FilesHouse): Files {
  return new StoredFiles(house);
}

type LimitedUpload = NewUpload & { readonly limits: FileLimits };

class StoredFiles implements Files {
  readonly #rows: FileRows;
  readonly #store: FileStore;
  readonly #clock: Clock;
  readonly #links: FileLinks;
  readonly #log: Log;
  readonly #sweeper: FileSweeper;
  readonly #arriving = new ArrivingFiles((owner) => this.#taken(owner));

  constructor({ database, store, clock, secret, log, removalMs }: FilesHouse) {
    this.#rows = new FileRows(database);
    this.#store = store;
    this.#clock = clock;
    this.#links = fileLinksOf(secret);
    this.#log = log;
    this.#sweeper = new FileSweeper({ rows: this.#rows, store, clock, log, removalMs });
  }

  async limitsOf(accountId: string): Promise<FileLimits> {
    return fileLimitsOf(await answered(this.#rows.planOf(accountId)));
  }

  async store(upload: NewUpload): Promise<FileRecord> {
    const { limits = await this.limitsOf(upload.accountId) } = upload;
    const limited = { ...upload, limits };
    if (upload.runId !== undefined) return this.#take(limited, undefined);
    const arriving = await this.#arriving.enter(upload, limited);
    try {
      return await this.#take({ ...limited, body: arriving.through(upload.body) }, arriving);
    } finally {
      arriving.leave();
    }
  }

  async #take(upload: LimitedUpload, arriving: ArrivingFile | undefined): Promise<FileRecord> {
    const { accountId, mode, runId, limits } = upload;
    const id = newId("file");
    const body = watchedBody(upload.body);
    await answered(this.#rows.begin({ id, accountId, mode, runId }, this.#now()));
    try {
      const file = await this.#fill(id, { ...upload, body }, arriving);
      // Others of its owner may have arrived meanwhile, on other nodes.
      if (arriving !== undefined) await this.#refuseBeyond(upload, limits);
      return file;
    } catch (error) {
      // It may be shown by now, and its bytes may not go at once.
      await this.#rows.expire(id, upload, this.#now()).catch(() => false);
      await this.#sweeper.discard(id);
      if (error === body.fault() || error instanceof NoRoom) throw error;
      if (error instanceof FileTooLarge) throw tooLarge(error.maxBytes);
      throw new Problem("service_unavailable", { cause: error });
    }
  }

  async #refuseBeyond(owner: FileOwner, { room }: FileLimits): Promise<void> {
    if (room === undefined) return;
    const { files, bytes } = await this.#taken(owner);
    if (files > room.files || bytes > room.bytes) throw new NoRoom(room);
  }

  #taken(owner: FileOwner): Promise<FileRoom> {
    return answered(this.#rows.taken(owner, this.#now()));
  }

  async #fill(id: string, upload: LimitedUpload, arriving: ArrivingFile | undefined): Promise<FileRecord> {
    const { body, limits, hint } = upload;
    const { sizeBytes, head } = await this.#store.put(id, body, { maxBytes: limits.maxBytes });
    arriving?.landed(sizeBytes);
    const name = keptName(upload.name);
    const isWhole = head.length === sizeBytes;
    const isResult = upload.runId !== undefined;
    const contentType = contentTypeOf({ head, isWhole, claimedType: hint, name, isResult });
    const file = await this.#rows.finish({
      id,
      name: name ?? nameFor(id, contentType),
      contentType,
      sizeBytes,
      expiresAt: new Date(this.#clock.now() + limits.lifetimeMs),
    });
    if (file === undefined) throw new Error("the file took so long to arrive that it was swept away");
    return file;
  }

  async read(id: string, owner: FileOwner): Promise<FileRecord> {
    return (await this.#find(id, owner)) ?? refuse();
  }

  async readSigned(link: FileLink): Promise<FileRecord> {
    if (!this.#links.isGood(link, this.#clock.now())) refuse();
    return (await answered(this.#rows.find(link.id, this.#now()))) ?? refuse();
  }

  async readOwn(
    url: string,
    { maxBytes, ...owner }: FileOwner & { readonly maxBytes: number },
  ): Promise<OwnFile | undefined> {
    const file = await this.#ownAt(url, owner);
    if (file === undefined) return undefined;
    if (file.sizeBytes > maxBytes) throw tooLarge(maxBytes);
    return { bytes: await this.whole(file), contentType: file.contentType };
  }

  async hasOwn(url: string, owner: FileOwner): Promise<boolean> {
    return (await this.#ownAt(url, owner)) !== undefined;
  }

  async #ownAt(url: string, owner: FileOwner): Promise<FileRecord | undefined> {
    const link = this.#links.linkIn(url);
    if (link === undefined || !this.#links.isGood(link, this.#clock.now())) return undefined;
    return this.#find(link.id, owner);
  }

  async open(file: FileRecord, range?: ByteRange): Promise<Readable> {
    const opened = await this.#store.open(file.id, range).catch((error: unknown) => {
      throw new Problem("service_unavailable", { cause: error });
    });
    if (opened !== undefined) return this.#bodyOf(file, opened);
    // Removed since its row was read; or the store has lost it, which somebody has to learn.
    this.#log.warn({ file: file.id }, "a file has no bytes");
    return refuse();
  }

  async whole(file: FileRecord): Promise<Buffer> {
    const body = await this.open(file);
    const pieces: Buffer[] = await body.toArray().catch((error: unknown) => {
      throw new Problem("service_unavailable", { cause: error });
    });
    return Buffer.concat(pieces);
  }

  /** Whoever reads counts on the size that its row tells. An S3 need not tell it. */
  #bodyOf({ id, sizeBytes }: FileRecord, { body, sizeBytes: found }: OpenedFile): Readable {
    if (found === sizeBytes || Number.isNaN(found)) return body;
    body.destroy();
    this.#log.error({ file: id, size_bytes: sizeBytes, found_bytes: found }, "a file's bytes were changed");
    throw new Problem("service_unavailable", { cause: "the file's bytes were changed in the store" });
  }

  async list(page: FilePage): Promise<{ readonly files: readonly FileRecord[]; readonly hasMore: boolean }> {
    const files = await answered(this.#rows.list({ ...page, limit: page.limit + 1 }, this.#now()));
    return { files: files.slice(0, page.limit), hasMore: files.length > page.limit };
  }

  madeBy(runId: string, owner: FileOwner): Promise<readonly string[]> {
    return this.#rows.madeBy(runId, owner, this.#now());
  }

  async remove(id: string, owner: FileOwner): Promise<void> {
    if (!isStoreId(id) || !(await answered(this.#rows.expire(id, owner, this.#now())))) refuse();
    await this.#sweeper.discard(id);
  }

  urlOf(file: FileRecord, publicUrl: string): string {
    return this.#links.urlOf(file, publicUrl);
  }

  sweep(): Promise<number> {
    return this.#sweeper.sweep();
  }

  startSweeping(everyMs: number): void {
    this.#sweeper.start(everyMs);
  }

  async stop(): Promise<void> {
    await this.#sweeper.stop();
    this.#store.close();
  }

  async #find(id: string, owner: FileOwner): Promise<FileRecord | undefined> {
    return isStoreId(id) ? answered(this.#rows.findOwn(id, owner, this.#now())) : undefined;
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }
}

function refuse(): never {
  throw new Problem("not_found", { message: "There is no such file." });
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("request_too_large", {
    param: "file",
    message: `The file is larger than ${sizeText(maxBytes)}.`,
  });
}

/** A database that is away is the house's fault, never the customer's. */
async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw new Problem("service_unavailable", { cause: error });
    throw error;
  }
}
