import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { freshDataDirectory, neverOpened } from "../../tests/support/embedded.ts";
import { systemClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import { openEmbedded } from "./embedded.ts";
import type { EmbeddedDatabase } from "./embedded.ts";

async function dataDirectory(context: TestContext): Promise<string> {
  const directory = await freshDataDirectory("without tables");
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function open(context: TestContext): Promise<EmbeddedDatabase> {
  const directory = await freshDataDirectory("without tables");
  const database = await openEmbedded({
    directory,
    migrations: [],
    log: silentLog,
    clock: systemClock,
  });
  context.after(async () => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });
  return database;
}

test("the embedded database runs with fsync, full page writes and synchronous commits", async (context) => {
  const database = await open(context);
  for (const [setting, value] of [
    ["fsync", "on"],
    ["full_page_writes", "on"],
    ["synchronous_commit", "on"],
    ["wal_sync_method", "fsync"],
  ]) {
    const [row] = await database.run({ name: `show ${setting}`, text: `show ${setting}` }, []);
    assert.deepEqual(row, { [String(setting)]: value });
  }
});

test("every commit forces its log to disk: there are at least as many fsyncs as commits", async (context) => {
  const database = await open(context);
  await database.run({ name: "table", text: "create table counted (id int8 primary key)" }, []);
  const before = await database.fsyncs();
  const commits = 200;
  for (let id = 0; id < commits; id += 1) {
    await database.run({ name: "insert", text: "insert into counted values ($1)" }, [id]);
  }
  const after = await database.fsyncs();
  assert.ok(after - before >= commits, `${after - before} fsyncs for ${commits} commits`);
});

test("of the databases that nobody opens no file is written, so that copies may share them", async (context) => {
  const directory = await dataDirectory(context);
  const found = lastWrites(directory);
  assert.ok(found.length > 400, `${found.length} files`);
  const settings = { directory, migrations: [], log: silentLog, clock: systemClock };
  const database = await openEmbedded(settings);
  await database.run({ name: "table", text: "create table written as select 1 as one" }, []);
  await database.run({ name: "vacuum", text: "vacuum analyze" }, []);
  await database.close();
  assert.deepEqual(lastWrites(directory), found);
});

function lastWrites(directory: string): readonly string[] {
  return [...neverOpened].flatMap((folder) =>
    readdirSync(join(directory, folder)).map((name) => {
      const { size, mtimeMs } = statSync(join(directory, folder, name));
      return `${folder}/${name} ${size} ${mtimeMs}`;
    }),
  );
}

/** Runs the database in this thread and makes the disk fail beneath it: `method` of node:fs throws from then on. */
const failingDisk = `
  const { parentPort, workerData } = require("node:worker_threads");
  const fs = require("node:fs");
  (async () => {
    const { openDurably } = await import(workerData.module);
    const { database } = await openDurably(workerData.directory, (error) => {
      parentPort.postMessage("died: " + error.message);
      process.exit(1);
    });
    // A first row, so that the next needs no new page: only the log has to be written for it.
    await database.exec("create table unlucky (id int); insert into unlucky values (0)");
    fs[workerData.method] = () => { throw Object.assign(new Error("no space left"), { code: "ENOSPC" }); };
    await database.exec("insert into unlucky values (1)");
    parentPort.postMessage("acknowledged");
  })();
`;

for (const method of ["fsyncSync", "writeSync"]) {
  test(`a disk that fails beneath the log (${method}) ends the thread, and nothing is acknowledged`, async (context) => {
    const directory = await dataDirectory(context);
    const worker = new Worker(failingDisk, {
      eval: true,
      workerData: { directory, method, module: new URL("./embedded-files.ts", import.meta.url).href },
    });
    context.after(() => worker.terminate());
    const [message]: string[] = await once(worker, "message", { signal: AbortSignal.timeout(120_000) });
    assert.match(message ?? "", /^died: /);
    const reopened = await openEmbedded({ directory, migrations: [], log: silentLog, clock: systemClock });
    const rows = await reopened.run({ name: "rows", text: "select count(*) as count from unlucky" }, []);
    // Not acknowledged is not the same as not done, so two rows are right as well.
    assert.ok(rows[0]?.["count"] === 1n || rows[0]?.["count"] === 2n);
    await reopened.close();
  });
}

test("closing twice, and closing with a statement under way, does no harm", async (context) => {
  const database = await open(context);
  const answer = database.run(
    { name: "slow", text: "select count(*) as count from generate_series(1, 200000)" },
    [],
  );
  await Promise.all([database.close(), database.close()]);
  assert.deepEqual(await answer, [{ count: 200_000n }]);
});
