import fs from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { DurableFilesystem, durableStartParameters } from "./durable-filesystem.ts";
import { compiledPostgres } from "./embedded-program.ts";

type Die = (error: unknown) => never;

function pathIn(directory: string): string {
  return join(directory, "database");
}

/** Opens `<directory>/database`, and makes it where it is not there. */
export async function openDurably(
  directory: string,
  die: Die,
): Promise<{ database: PGlite; filesystem: DurableFilesystem }> {
  await makeDurably(directory, die);
  const filesystem = new DurableFilesystem(pathIn(directory), die);
  return { database: await start(filesystem, die), filesystem };
}

/**
 * Makes the database beside its name and moves it there when all of it is on disk, so that a start which is cut off, even
 * by a power loss, leaves nothing half made behind. False when it was there already. Takes 150 MB that are given back
 * only when the thread ends.
 */
export async function makeDurably(directory: string, die: Die): Promise<boolean> {
  const path = pathIn(directory);
  if (fs.existsSync(path)) return false;
  const draft = `${path}.new`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  fs.mkdirSync(draft, { mode: 0o700 });
  const database = await start(new DurableFilesystem(draft, die), die);
  await database.close();
  syncTree(draft);
  fs.renameSync(draft, path);
  syncOne(directory);
  return true;
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
