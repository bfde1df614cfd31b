import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants, readdirSync } from "node:fs";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

/** A PostgreSQL server on 127.0.0.1 only. A private one ends with its process, also when that is killed. */
export type TestPostgres = {
  /** A database made for this process. */
  readonly url: string;
  /** A further, empty database; its URL. */
  freshDatabase(): Promise<string>;
  /** False for a server that others use: that one is not ours to take away. */
  readonly isOurs: boolean;
  /** Ends the server as a crash would: sessions are cut, nothing is flushed. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type NoPostgres = { readonly skipped: "skipped: no PostgreSQL binaries" };

let started: Promise<TestPostgres | NoPostgres> | undefined;

/**
 * Databases on `TEST_DATABASE_URL`, on the server that `npm test` started for all its files, or on one of this process,
 * however often it is asked for. With `own` always the last, where there is one to be had: a server to kill.
 */
export function startPostgres(wish: { readonly own?: boolean } = {}): Promise<TestPostgres | NoPostgres> {
  started ??= start(wish);
  return started;
}

/** How the files of one `npm test` find the server that they share. */
export const sharedServerVariable = "SKILLBOSS_TEST_SERVER";

async function start({ own = false }: { readonly own?: boolean }): Promise<TestPostgres | NoPostgres> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given !== undefined && given !== "") return foreignServer(given);
  const shared = process.env[sharedServerVariable];
  if (shared !== undefined && !own) return foreignServer(new URL("/postgres", shared).href);
  const binaries = findBinaries();
  if (binaries === undefined) return { skipped: "skipped: no PostgreSQL binaries" };
  return ownServer(binaries, "durable");
}

/**
 * The server that all files of one `npm test` share, at the URL of a database that already has our tables. What a power
 * loss would leave of it is nobody's concern.
 */
export async function startSharedPostgres(): Promise<TestPostgres | undefined> {
  const binaries = findBinaries();
  const isGiven = (process.env["TEST_DATABASE_URL"] ?? "") !== "";
  if (isGiven || binaries === undefined) return undefined;
  const server = await ownServer(binaries, "fleeting");
  await makeTables(server.url);
  return server;
}

async function makeTables(databaseUrl: string): Promise<void> {
  const { openDatabase } = await import("../../src/storage/open-database.ts");
  const { silentLog } = await import("../../src/core/log.ts");
  const database = await openDatabase({ databaseUrl, directory: tmpdir(), log: silentLog });
  await database.close();
}

/** A database with our tables, on the server that all files share; undefined where there is none. */
export async function freshDatabaseHere(): Promise<
  { readonly url: string; readonly drop: () => Promise<void> } | undefined
> {
  const shared = process.env[sharedServerVariable];
  if (shared === undefined) return undefined;
  const admin = new URL("/postgres", shared).href;
  const url = await createDatabase(admin, `template ${nameIn(shared)}`);
  return { url, drop: () => dropDatabase(admin, url) };
}

async function foreignServer(adminUrl: string): Promise<TestPostgres> {
  const made: string[] = [];
  const refuse = (): Promise<void> =>
    Promise.reject(new Error("a server that others use is not ours to end"));
  const freshDatabase = async (): Promise<string> => {
    const url = await createDatabase(adminUrl);
    made.push(url);
    return url;
  };
  return {
    url: await freshDatabase(),
    freshDatabase,
    isOurs: false,
    kill: refuse,
    restart: refuse,
    stop: async () => {
      started = undefined;
      for (const url of made) await dropDatabase(adminUrl, url);
    },
  };
}

type Care = "durable" | "fleeting";

async function ownServer(binaries: string, care: Care): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "skillboss-postgres-"));
  // PostgreSQL refuses to run as root; 65534 is `nobody`, who owns nothing else.
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: 65534, gid: 65534 } : {};
  if (isRoot) await chown(folder, 65534, 65534);
  const cluster: Cluster = { binaries, folder, user, port: await freePort(), care };
  await initialise(cluster);
  let server = await startServer(cluster);
  const adminUrl = adminUrlOf(cluster.port);
  return {
    url: await createDatabase(adminUrl),
    freshDatabase: () => createDatabase(adminUrl),
    isOurs: true,
    kill: () => endServer(server, "keep"),
    restart: async () => {
      server = await startServer(cluster);
    },
    stop: async () => {
      started = undefined;
      await endServer(server, "remove");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Cluster = {
  readonly binaries: string;
  readonly folder: string;
  readonly user: { readonly uid?: number; readonly gid?: number };
  readonly port: number;
  readonly care: Care;
};

async function initialise({ binaries, folder, user }: Cluster): Promise<void> {
  const child = spawn(
    join(binaries, "initdb"),
    [
      "-D",
      join(folder, "data"),
      "-U",
      "postgres",
      "--auth=trust",
      "--no-sync",
      "--encoding=UTF8",
      "--locale=C",
    ],
    { ...user, cwd: folder, env: environment, stdio: ["ignore", "ignore", "pipe"] },
  );
  let complaint = "";
  child.stderr.on("data", (part: Buffer) => (complaint += part.toString()));
  await once(child, "close");
  if (child.exitCode !== 0) throw new Error(`initdb failed: ${complaint}`);
}

const environment = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" };

/**
 * The shell ends the server when its input ends, and that is when this process ends, in whatever way; the folder goes
 * with it. Told "keep" it ends the server and leaves the folder.
 */
const guard = `
trap '' INT
folder="$1"; shift
"$@" >"$folder/log" 2>&1 </dev/null &
read -r word
kill -QUIT $! 2>/dev/null
wait
[ "$word" = keep ] || rm -rf "$folder"
`;

const forSpeed = [
  "fsync=off",
  "full_page_writes=off",
  "wal_level=minimal",
  "max_wal_senders=0",
  "autovacuum=off",
  "jit=off",
];

async function startServer({ binaries, folder, user, port, care }: Cluster): Promise<ChildProcess> {
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    ...(care === "durable" ? [] : forSpeed),
    "max_connections=300",
    "shared_buffers=32MB",
  ];
  const server = [join(binaries, "postgres"), "-D", join(folder, "data"), "-p", String(port)];
  const child = spawn(
    "/bin/sh",
    ["-c", guard, "guard", folder, ...server, ...settings.flatMap((setting) => ["-c", setting])],
    { ...user, cwd: folder, env: environment, stdio: ["pipe", "ignore", "ignore"] },
  );
  // The server must not keep a test process alive that is otherwise done.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  await untilAnswering(adminUrlOf(port), folder);
  return child;
}

async function endServer(child: ChildProcess, word: "keep" | "remove"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const closed = once(child, "close");
  child.stdin?.end(`${word}\n`);
  await closed;
}

const startTimeoutMs = 20_000;

/** A server of our own cannot tell us when it is ready, so it is asked again and again. */
async function untilAnswering(url: string, folder: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    try {
      await statement(url, "select 1");
      return;
    } catch (error) {
      if (performance.now() > deadline) {
        const serverLog = await readFile(join(folder, "log"), "utf8").catch(() => "");
        throw new Error(`PostgreSQL did not start:\n${serverLog}`, { cause: error });
      }
      await wait(20);
    }
  }
}

async function createDatabase(adminUrl: string, how = ""): Promise<string> {
  const name = `skillboss_test_${randomBytes(6).toString("hex")}`;
  await statement(adminUrl, `create database ${name} ${how}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function dropDatabase(adminUrl: string, url: string): Promise<void> {
  return statement(adminUrl, `drop database if exists ${nameIn(url)} with (force)`);
}

async function statement(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function adminUrlOf(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1);
}

async function freePort(): Promise<number> {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("no port to be had");
  return address.port;
}

/** The folder with `initdb` and `postgres`: of PATH, else the newest of Debian's, else Homebrew's. */
function findBinaries(): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""),
    ...versionsIn("/usr/lib/postgresql", (version) => join(version, "bin")),
    ...versionsIn("/opt/homebrew/opt", (formula) => join(formula, "bin")),
    ...versionsIn("/usr/local/opt", (formula) => join(formula, "bin")),
  ];
  return folders.find(
    (folder) => isExecutable(join(folder, "initdb")) && isExecutable(join(folder, "postgres")),
  );
}

function versionsIn(folder: string, toBinaries: (entry: string) => string): readonly string[] {
  try {
    const byNumber = new Intl.Collator("en", { numeric: true });
    return readdirSync(folder)
      .toSorted((a, b) => byNumber.compare(b, a))
      .map((entry) => join(folder, toBinaries(entry)));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
