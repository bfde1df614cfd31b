import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { TurnableClock } from "../../src/core/clock.ts";
import type { Mode, PlanName } from "../../src/core/caller.ts";
import { silentLog } from "../../src/core/log.ts";
import type { LogFields } from "../../src/core/log.ts";
import type { FileStore } from "../../src/files/file-store.ts";
import { filesOf } from "../../src/files/files.ts";
import type { Files } from "../../src/files/files.ts";
import { localFileStore } from "../../src/files/local-file-store.ts";
import { fileDoors } from "../../src/http/files.ts";
import type { SlowestPace } from "../../src/http/arriving-bytes.ts";
import { frontServer } from "../../src/http/server.ts";
import type { FrontTimeouts } from "../../src/http/server.ts";
import { accountsOf } from "../../src/identity/accounts.ts";
import { doorkeeper } from "../../src/identity/doorkeeper.ts";
import { keysOf } from "../../src/identity/keys.ts";
import { openAnyDatabase } from "./any-database.ts";

/** The doors of files on loopback, with a real database, a folder, and a clock that stands still. */
export type FilesHouse = {
  readonly url: string;
  readonly port: number;
  readonly clock: TurnableClock;
  readonly files: Files;
  /** A new account with a key. */
  customer(plan?: PlanName, mode?: Mode): Promise<FilesCustomer>;
  /** Another key of an account, in the other mode. */
  otherMode(customer: FilesCustomer): Promise<string>;
  /** What lies in the folder. */
  stored(): readonly string[];
  /** Every body that the store opened, in order. */
  readonly opened: Readable[];
  readonly errors: LogFields[];
  stop(): Promise<void>;
};

export type FilesCustomer = { readonly accountId: string; readonly key: string };

export type FilesHouseOptions = {
  readonly stalledClientMs?: number;
  readonly slowest?: SlowestPace;
  readonly timeouts?: FrontTimeouts;
  /** Changes the folder's store, for faults. */
  readonly store?: (store: FileStore) => FileStore;
};

export async function startFilesHouse(options: FilesHouseOptions = {}): Promise<FilesHouse> {
  const { database, clearAway } = await openAnyDatabase();
  const folder = mkdtempSync(join(tmpdir(), "skillboss-files-"));
  const clock = new TurnableClock();
  const errors: LogFields[] = [];
  const log = { ...silentLog, error: (fields: LogFields) => errors.push(fields) };
  const opened: Readable[] = [];
  const local = localFileStore(folder);
  const store = watched((options.store ?? ((one) => one))(local), opened);
  const files = filesOf({ database, store, clock, secret: "master", log });
  const keeper = doorkeeper({ database, clock, operatorToken: "operator" });
  const accounts = accountsOf(database, () => Promise.resolve());
  const keys = keysOf(database);
  const server = frontServer({
    doors: fileDoors({
      files,
      doorkeeper: keeper,
      clock,
      headersFor: async () => ({}),
      publicUrlOf: ({ headers }) => `http://${headers.host}`,
      stalledClientMs: options.stalledClientMs ?? 60_000,
      ...(options.slowest === undefined ? {} : { slowest: options.slowest }),
    }),
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
    doorkeeper: keeper,
    log,
    maxBodyBytes: 1024,
    headersFor: async () => ({}),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    clock,
    files,
    opened,
    errors,
    async customer(plan = "free", mode = "live") {
      const { id } = await accounts.create({ name: "Ada", plan });
      return { accountId: id, key: (await keys.issue({ accountId: id, mode })).secret };
    },
    async otherMode({ accountId }) {
      return (await keys.issue({ accountId, mode: "test" })).secret;
    },
    stored: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      await files.stop();
      await clearAway();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function watched(store: FileStore, bodies: Readable[]): FileStore {
  return {
    put: (id, body, limits) => store.put(id, body, limits),
    remove: (id) => store.remove(id),
    close: () => store.close(),
    async open(id, range) {
      const opened = await store.open(id, range);
      if (opened !== undefined) bodies.push(opened.body);
      return opened;
    },
  };
}

/** A JSON answer. Each test asserts the members it reads. */
// oxlint-disable-next-line typescript/no-explicit-any
export type JsonAnswer = { readonly status: number; readonly headers: Headers; readonly body: any };

export async function ask(url: string, key: string | undefined, init: RequestInit = {}): Promise<JsonAnswer> {
  const headers = new Headers(init.headers);
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}
