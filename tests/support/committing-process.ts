import { writeSync } from "node:fs";
import { silentLog } from "../../src/core/log.ts";
import { lockDirectory } from "../../src/storage/directory-lock.ts";
import { openDatabase } from "../../src/storage/open-database.ts";

/**
 * Commits rows 1, 2, 3… to the embedded database in the directory named on the command line, and prints a line for each
 * when it is acknowledged, until it is killed. The first line says how many rows it found.
 */
const [, , directory] = process.argv;
if (directory === undefined) throw new Error("name a directory");
await lockDirectory(directory);
const database = await openDatabase({ directory, log: silentLog });
await database.run(
  {
    name: "table",
    text: "create table if not exists kill_test (id bigint primary key, filler text not null)",
  },
  [],
);
const [row] = await database.run(
  { name: "found", text: "select count(*) as count, coalesce(max(id), 0) as last from kill_test" },
  [],
);
if (row === undefined || typeof row["last"] !== "bigint") throw new Error("an aggregate always has a row");
print(`found ${String(row["count"])} ${row["last"]}`);
for (let id = row["last"] + 1n; ; id += 1n) {
  await database.run({ name: "insert", text: "insert into kill_test values ($1, $2)" }, [
    id,
    "x".repeat(Number(id % 700n)),
  ]);
  print(`acknowledged ${id}`);
}

/** Past the stream's buffer, so that a line that was written is out even if the process is killed next. */
function print(line: string): void {
  writeSync(1, `${line}\n`);
}
