import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { lockDirectory } from "./directory-lock.ts";

async function emptyDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "skillboss-lock-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Prints "locked" or the refusal, and then stays until it is killed. */
const locker = `
  const { lockDirectory } = await import(process.argv[1]);
  setInterval(() => {}, 1000);
  console.log(await lockDirectory(process.argv[2]).then(() => "locked", (error) => error.message));
`;

async function lockInProcess(
  context: TestContext,
  directory: string,
): Promise<{ readonly child: ChildProcess; readonly answer: string }> {
  const module = new URL("./directory-lock.ts", import.meta.url).href;
  const child = spawn(process.execPath, ["--input-type=module", "-e", locker, module, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const [line]: Buffer[] = await once(child.stdout, "data");
  return { child, answer: String(line).trim() };
}

async function killed(child: ChildProcess): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

/** What another process would have left behind. */
function plantEntry(directory: string, owner: object): string {
  const folder = join(directory, "lock");
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, "planted.json");
  writeFileSync(entry, JSON.stringify(owner));
  return entry;
}

test("a locked directory is refused, with the holder and both ways out named", async (context) => {
  const directory = await emptyDirectory(context);
  const lock = await lockDirectory(directory);
  context.after(() => lock.release());
  await assert.rejects(lockDirectory(directory), (error: Error) => {
    assert.match(error.message, new RegExp(`in use by process ${process.pid}\\b`));
    assert.match(error.message, /SKILLBOSS_DATA_DIR/);
    assert.match(error.message, /DATABASE_URL/);
    return true;
  });
});

test("a refused attempt leaves the holder's lock in place and nothing of its own", async (context) => {
  const directory = await emptyDirectory(context);
  const lock = await lockDirectory(directory);
  const before = readdirSync(join(directory, "lock"));
  await assert.rejects(lockDirectory(directory));
  assert.deepEqual(readdirSync(join(directory, "lock")), before);
  lock.release();
});

test("a released directory can be locked again", async (context) => {
  const directory = await emptyDirectory(context);
  (await lockDirectory(directory)).release();
  (await lockDirectory(directory)).release();
  assert.deepEqual(readdirSync(join(directory, "lock")), []);
});

test("a directory held by another living process is refused", async (context) => {
  const directory = await emptyDirectory(context);
  const { child, answer } = await lockInProcess(context, directory);
  assert.equal(answer, "locked");
  await assert.rejects(lockDirectory(directory), new RegExp(`in use by process ${child.pid}\\b`));
});

test("the lock of a process that was killed with -9 is taken over", async (context) => {
  const directory = await emptyDirectory(context);
  const { child, answer } = await lockInProcess(context, directory);
  assert.equal(answer, "locked");
  await killed(child);
  (await lockDirectory(directory)).release();
});

test("of six processes that start at once at most one is admitted, and one afterwards", async (context) => {
  const directory = await emptyDirectory(context);
  const started = await Promise.all(Array.from({ length: 6 }, () => lockInProcess(context, directory)));
  const admitted = started.filter(({ answer }) => answer === "locked");
  assert.ok(admitted.length <= 1, `${admitted.length} admitted`);
  for (const { answer } of started) assert.match(answer, /^locked$|in use by process/);
  await Promise.all(started.map(({ child }) => killed(child)));
  (await lockDirectory(directory)).release();
});

test(
  "a later process with the same number is not taken for the holder",
  { skip: process.platform !== "linux" && "only Linux tells when a process started" },
  async (context) => {
    const directory = await emptyDirectory(context);
    const lock = await lockDirectory(directory);
    const [name = ""] = readdirSync(join(directory, "lock"));
    const owner: object = JSON.parse(await readFile(join(directory, "lock", name), "utf8"));
    lock.release();
    plantEntry(directory, { ...owner, startedAt: "1" });
    (await lockDirectory(directory)).release();
  },
);

test("a holder in another container is refused while its heartbeat goes on", async (context) => {
  const directory = await emptyDirectory(context);
  const entry = plantEntry(directory, { pid: 1, startedAt: "1", bootId: "b", pidNamespace: "pid:[1]" });
  let beats = performance.timeOrigin + performance.now();
  const heartbeat = setInterval(() => {
    beats += 50;
    utimesSync(entry, beats / 1_000, beats / 1_000);
  }, 50);
  try {
    await assert.rejects(lockDirectory(directory), /in use by process 1\b/);
  } finally {
    clearInterval(heartbeat);
  }
});

test("a holder from before the machine's last start counts for nothing", async (context) => {
  const directory = await emptyDirectory(context);
  const entry = plantEntry(directory, {
    pid: process.pid,
    startedAt: "1",
    bootId: "b",
    pidNamespace: "pid:[1]",
  });
  utimesSync(entry, 1_000_000, 1_000_000);
  (await lockDirectory(directory)).release();
});

test("an entry that a power loss tore counts for nothing", async (context) => {
  const directory = await emptyDirectory(context);
  writeFileSync(plantEntry(directory, {}), '{"pid":');
  (await lockDirectory(directory)).release();
});
