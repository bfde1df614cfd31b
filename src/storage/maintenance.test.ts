import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { TurnableClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import { openEmbedded } from "./embedded.ts";
import type { EmbeddedDatabase } from "./embedded.ts";

let directory: string;
let database: EmbeddedDatabase;
const clock = new TurnableClock();

before(async () => {
  directory = await freshDataDirectory("without tables");
  database = await openEmbedded({ directory, migrations: [], log: silentLog, clock });
  await database.run({ name: "table", text: "create table worn (id int8 primary key, filler text)" }, []);
  await database.maintain();
});

after(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

async function redoPosition(): Promise<unknown> {
  const [row] = await database.run(
    { name: "redo", text: "select redo_lsn from pg_control_checkpoint()" },
    [],
  );
  return row?.["redo_lsn"];
}

/** Pages that a vacuum has seen to hold nothing dead. */
async function cleanPages(): Promise<number> {
  const [row] = await database.run(
    { name: "clean", text: "select relallvisible from pg_class where relname = 'worn'" },
    [],
  );
  return Number(row?.["relallvisible"]);
}

async function write(rows: number): Promise<void> {
  const text = `insert into worn select coalesce((select max(id) from worn), 0) + n, repeat('x', 900)
                from generate_series(1, $1::int8) as n`;
  await database.run({ name: "write", text }, [rows]);
}

test("a little that was written is left alone until five minutes are over, and then checkpointed once", async () => {
  await write(10);
  const start = await redoPosition();
  clock.turn({ seconds: 299 });
  await database.maintain();
  assert.equal(await redoPosition(), start);
  clock.turn({ seconds: 1 });
  await database.maintain();
  const checkpointed = await redoPosition();
  assert.notEqual(checkpointed, start);
  clock.turn({ seconds: 300 });
  await database.maintain();
  assert.equal(await redoPosition(), checkpointed, "nothing was written, so nothing is done");
});

test("a log of 32 MiB is checkpointed at once, whatever the clock says", async () => {
  await write(10);
  await database.maintain();
  const start = await redoPosition();
  await write(10);
  await database.maintain();
  assert.equal(await redoPosition(), start);
  await write(36_000);
  await database.maintain();
  assert.notEqual(await redoPosition(), start);
});

test("tables that were written are vacuumed and analysed ten minutes after the last time", async () => {
  await write(5_000);
  clock.turn({ seconds: 600 });
  await database.maintain();
  const before = await cleanPages();
  await write(5_000);
  await database.maintain();
  assert.equal(await cleanPages(), before);
  clock.turn({ seconds: 600 });
  await database.maintain();
  assert.ok((await cleanPages()) > before);
});

test("a look that is asked for while one runs is the same look", async () => {
  assert.equal(database.maintain(), database.maintain());
  await database.maintain();
});
