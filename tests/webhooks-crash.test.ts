import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { benchOf, startReceiver, taken } from "../src/calls/webhooks/webhooks-under-test.ts";
import type { Receiver } from "../src/calls/webhooks/webhooks-under-test.ts";
import { runStoreOf } from "../src/calls/runs/sql-run-store.ts";
import { finishedMessage } from "../src/calls/runs/run-view.ts";
import { silentLog } from "../src/core/log.ts";
import type { Database } from "../src/storage/database.ts";
import { openDatabase } from "../src/storage/open-database.ts";
import { freshDataDirectory } from "./support/embedded.ts";
import { planned } from "./support/plan-scale.ts";
import { startPostgres } from "./support/postgres.ts";
import type { NoPostgres, TestPostgres } from "./support/postgres.ts";
import { seededRandom } from "./support/seeded-random.ts";

/** Kill -9 between the end of a run and its delivery: case W-03. */

const script = fileURLToPath(new URL("../src/calls/webhooks/ending-runs.test-process.ts", import.meta.url));

type Home = { readonly databaseUrl: string; readonly directory: string };

const open = ({ databaseUrl, directory }: Home): Promise<Database> =>
  openDatabase({ directory, log: silentLog, ...(databaseUrl === "" ? {} : { databaseUrl }) });

function startNode({ databaseUrl, directory }: Home, receiver: Receiver): ChildProcess {
  const child = spawn(process.execPath, [script, databaseUrl, directory, receiver.url()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const killWithUs = () => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  return child;
}

/** One life: killed when so many runs are over. Resolves with their messages' ids. */
async function liveAndDie(home: Home, receiver: Receiver, runs: number): Promise<readonly string[]> {
  const child = startNode(home, receiver);
  const closed = once(child, "close");
  const ids: string[] = [];
  if (child.stdout === null) throw new Error("the output is piped");
  for await (const line of createInterface(child.stdout)) {
    ids.push(line.replace("over ", ""));
    if (ids.length === runs) child.kill("SIGKILL");
  }
  await closed;
  assert.equal(child.signalCode, "SIGKILL");
  return ids;
}

async function losesNothing(home: Home, lives: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const receiver = await startReceiver(async (request, response) => {
    await pause(random() * 20);
    taken(request, response);
  });
  const acknowledged: string[] = [];
  for (let life = 0; life < lives; life += 1)
    acknowledged.push(...(await liveAndDie(home, receiver, 1 + Math.floor(random() * 25))));

  const database = await open(home);
  const bench = benchOf(database);
  const rows = () => database.kysely.selectFrom("deliveries").selectAll().execute();
  assert.ok(
    (await rows()).some(({ state }) => state === "waiting"),
    "some were left behind",
  );
  // The leases of the dead run out.
  await bench.turn(120);

  const over = await database.kysely.selectFrom("runs").select("id").where("state", "=", "over").execute();
  const delivered = await rows();
  assert.deepEqual(delivered.map(({ run_id }) => run_id).toSorted(), over.map(({ id }) => id).toSorted());
  assert.ok(acknowledged.every((id) => delivered.some((row) => row.id === id)));
  assert.ok(delivered.every(({ state }) => state === "delivered"));
  const arrived = new Set(receiver.visits.map(({ headers }) => headers["webhook-id"]));
  assert.deepEqual([...arrived].map(String).toSorted(), delivered.map(({ id }) => id).toSorted());
  for (const { headers, body } of receiver.visits) {
    const row = delivered.find(({ id }) => id === headers["webhook-id"]);
    assert.equal(body, row?.body);
    assert.equal(JSON.parse(body).data.id, row?.run_id);
  }
  await bench.stop();
  await receiver.stop();
  await database.close();
}

test("W-03 on embedded: whenever the process is killed, every run that is over is told at least once, under one id, and no other", async () => {
  const directory = await freshDataDirectory();
  await losesNothing({ databaseUrl: "", directory }, planned({ whole: 50, quick: 2 }), 3);
  await rm(directory, { recursive: true, force: true });
});

const server: TestPostgres | NoPostgres = await startPostgres();

if ("skipped" in server) test("W-03 on postgres", { skip: server.skipped });
else {
  test("W-03 on postgres: whenever the process is killed, every run that is over is told at least once, under one id, and no other", async () => {
    const home = { databaseUrl: await server.freshDatabase(), directory: "" };
    await losesNothing(home, planned({ whole: 50, quick: 6 }), 5);
  });

  test("W-03 An end that was not committed tells nobody, and the next process tells it once", async () => {
    const home = { databaseUrl: await server.freshDatabase(), directory: "" };
    const receiver = await startReceiver(taken);
    const database = await open(home);
    // The process dies where the message is about to be written, in the transaction that has ended the run already.
    await database.kysely.transaction().execute(async (transaction) => {
      await sql`lock table deliveries in exclusive mode`.execute(transaction);
      const child = startNode(home, receiver);
      const closed = once(child, "close");
      await until(async () => (await waitingForLocks(database)) > 0);
      child.kill("SIGKILL");
      await closed;
    });
    await until(async () => (await waitingForLocks(database)) === 0);

    const [row, ...more] = await database.kysely.selectFrom("runs").selectAll().execute();
    assert.ok(row !== undefined && more.length === 0);
    const bench = benchOf(database);
    await bench.turn();
    assert.equal(row.state, "settling");
    assert.equal(receiver.visits.length, 0);
    const store = runStoreOf(database, "node_2");
    assert.equal(await store.end(row, 1n, finishedMessage(row)), true);
    assert.equal(await store.end(row, 1n, finishedMessage(row)), false);
    await bench.turn();
    assert.equal(receiver.visits.length, 1);
    assert.equal(JSON.parse(receiver.visits[0]?.body ?? "").data.id, row.id);
    await bench.stop();
    await receiver.stop();
    await database.close();
  });
}

/** How many sessions wait for a lock. */
async function waitingForLocks(database: Database): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'`.execute(
    database.kysely,
  );
  return Number(rows[0]?.count ?? 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `not within 30 s: ${holds.toString()}`);
    await pause(10);
  }
}
