import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export type DirectoryLock = { release(): void };

/** Who holds a directory. Start time and boot tell a process from a later one that was given the same number. */
type Owner = {
  readonly pid: number;
  /** In clock ticks since boot; undefined where there is no /proc. */
  readonly startedAt: string | undefined;
  readonly bootId: string | undefined;
  /** Process numbers mean something only within the same namespace: two containers may both have a process 1. */
  readonly pidNamespace: string | undefined;
};

/** How often a holder shows that it lives, to those who cannot see its process: other containers, other hosts. */
const heartbeatMs = 1_000;
/** Longer than a holder's main thread is ever held up. */
const watchMs = 4_000;
/** A heartbeat older than this needs no watching. */
const longAgoMs = 30_000;

/**
 * Takes the data directory for this process, or throws an Error that says who has it and what to do. A lock whose owner
 * is dead, by kill -9 or by a power loss, counts for nothing. Two that start in the same instant may both be refused,
 * but never both admitted: each writes its own entry first and looks for others afterwards.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const folder = join(directory, "lock");
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = writeEntry(folder, thisProcess());
  const heartbeat = setInterval(() => touch(own), heartbeatMs);
  heartbeat.unref();
  const release = (): void => {
    clearInterval(heartbeat);
    fs.rmSync(own, { force: true });
  };
  try {
    for (const name of fs.readdirSync(folder)) {
      const entry = join(folder, name);
      if (entry !== own && name.endsWith(".json")) await clearOrRefuse(directory, entry);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

async function clearOrRefuse(directory: string, entry: string): Promise<void> {
  const owner = readEntry(entry);
  if (owner === undefined || !(await isAlive(owner, entry))) {
    fs.rmSync(entry, { force: true });
    return;
  }
  throw new Error(
    `The data directory ${directory} is in use by process ${owner.pid}. Stop that process, or set SKILLBOSS_DATA_DIR ` +
      "to another directory. To run several processes on the same data, set DATABASE_URL to a PostgreSQL server.",
  );
}

async function isAlive(owner: Owner, entry: string): Promise<boolean> {
  const us = thisProcess();
  if (owner.bootId === us.bootId && owner.pidNamespace === us.pidNamespace) return isRunning(owner);
  const seen = heartbeatOf(entry);
  if (seen === undefined || Math.abs(wallClock() - seen) > longAgoMs) return false;
  for (let waited = 0; waited < watchMs; waited += heartbeatMs / 4) {
    await wait(heartbeatMs / 4);
    if (heartbeatOf(entry) !== seen) return heartbeatOf(entry) !== undefined;
  }
  return false;
}

function isRunning({ pid, startedAt }: Owner): boolean {
  const now = startTimeOf(pid);
  if (now !== undefined && startedAt !== undefined) return now === startedAt;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any other refusal, such as EPERM, comes from a process that is there.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function thisProcess(): Owner {
  return {
    pid: process.pid,
    startedAt: startTimeOf(process.pid),
    bootId: attempt(() => fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: attempt(() => fs.readlinkSync("/proc/self/ns/pid")),
  };
}

/**
 * Field 22 of /proc/PID/stat, counted from behind the command's name, which may hold anything; see proc_pid_stat(5).
 * Undefined where it may not be read; "ended", which equals no start time, for a process that only waits to be reaped.
 */
function startTimeOf(pid: number): string | undefined {
  const stat = attempt(() => fs.readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isDead = fields[0] === "Z" || fields[0] === "X";
  return isDead ? "ended" : fields[19];
}

/** The entry appears complete or not at all. */
function writeEntry(folder: string, owner: Owner): string {
  const name = join(folder, `${owner.pid}-${randomBytes(6).toString("hex")}`);
  fs.writeFileSync(`${name}.new`, JSON.stringify(owner), { mode: 0o600, flag: "wx" });
  fs.renameSync(`${name}.new`, `${name}.json`);
  return `${name}.json`;
}

/** Undefined when it was released meanwhile, or was torn by a power loss: then its owner is gone too. */
function readEntry(entry: string): Owner | undefined {
  return attempt(() => {
    const owner: unknown = JSON.parse(fs.readFileSync(entry, "utf8"));
    return isOwner(owner) ? owner : undefined;
  });
}

function isOwner(value: unknown): value is Owner {
  return typeof value === "object" && value !== null && "pid" in value && typeof value.pid === "number";
}

function heartbeatOf(entry: string): number | undefined {
  return attempt(() => fs.statSync(entry).mtimeMs);
}

function touch(entry: string): void {
  const seconds = wallClock() / 1_000;
  attempt(() => fs.utimesSync(entry, seconds, seconds));
}

/** Not the application's clock: this is compared with the times of files. */
function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
