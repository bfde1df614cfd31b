/**
 * A node of its own for tests: ends runs one after the other and delivers their messages, until it is killed. Prints a
 * line for each run whose end was acknowledged. Arguments: database URL or "", data directory, the receiver's address.
 */
import { writeSync } from "node:fs";
import { systemClock } from "../../core/clock.ts";
import { silentLog } from "../../core/log.ts";
import { lockDirectory } from "../../storage/directory-lock.ts";
import { openDatabase } from "../../storage/open-database.ts";
import { DeliveryWorker } from "./delivery-worker.ts";
import { endRun, loopbackEgress, masterSecret } from "./webhooks-under-test.ts";

const [databaseUrl = "", directory = "", url = ""] = process.argv.slice(2);
if (databaseUrl === "") await lockDirectory(directory);
const settings = { directory, log: silentLog };
const database = await openDatabase(databaseUrl === "" ? settings : { ...settings, databaseUrl });
const worker = new DeliveryWorker({
  database,
  egress: loopbackEgress(),
  clock: systemClock,
  log: silentLog,
  secret: masterSecret,
  backoffMs: 200,
});
worker.start();
for (;;) {
  const id = await endRun(database, { url });
  worker.nudge();
  // Past the stream's buffer, so that a line that was written is out even if the process is killed next.
  writeSync(1, `over ${id}\n`);
}
