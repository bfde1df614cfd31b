import fs from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { DurableFilesystem, durableStartParameters } from "./durable-filesystem.ts";
import { compiledPostgres } from "./embedded-program.ts";

type Die = (error: unknown) => never;

/**
 * Opens `<directory>/database`. A first start builds it beside that name and moves it there when all of it is on disk,
 * so a start that is cut off, even by a power loss, leaves nothing half made behind.
 */
export async function openDurably(
  directory: string,
  die: Die,
): Promise<{ database: PGlite; filesystem: DurableFilesystem }> {
  const path = join(directory, "database");
  if (!fs.existsSync(path)) await create(directory, path, die);
  const filesystem = new DurableFilesystem(path, die);
  return { database: await start(filesystem, die), filesystem };
}

async function create(directory: string, path: string, die: Die): Promise<void> {
  const draft = `${path}.new`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  fs.mkdirSync(draft, { mode: 0o700 });
  const database = await start(new DurableFilesystem(draft, die), die);
  await database.close();
  syncTree(draft);
  fs.renameSync(draft, path);
  syncOne(directory);
}

async function start(filesystem: DurableFilesystem, die: Die): Promise<PGlite> {
  const database = await PGlite.create({
    fs: filesystem,
    startParams: [...durableStartParameters],
    pgliteWasmModule: compiledPostgres(),
  });
  endOnPanic(database, die);
  return database;
}

/** What PostgreSQL's own jump to its error handling looks like from outside. */
const errorJump = 100;

/**
 * When PostgreSQL gives up, say because the log cannot be written on a full disk, PGlite goes on calling it, maybe for
 * ever. A server would end all sessions, start anew and recover from its log; here `die` brings that about.
 */
function endOnPanic(database: PGlite, die: Die): void {
  const engine = database.Module;
  const runOnce = engine._PostgresMainLoopOnce;
  engine._PostgresMainLoopOnce = () => {
    try {
      runOnce();
    } catch (error) {
      if (!(error instanceof Object && "status" in error && error.status === errorJump)) die(error);
      throw error;
    }
  };
}

function syncTree(path: string): void {
  for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) syncTree(inner);
    else syncOne(inner);
  }
  syncOne(path);
}

function syncOne(path: string): void {
  const descriptor = fs.openSync(path, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
