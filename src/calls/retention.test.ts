import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { newId } from "../core/ids.ts";
import { silentLog } from "../core/log.ts";
import { openHomes } from "../ledger/ledger-homes.test-support.ts";
import type { Database } from "../storage/database.ts";
import { Retention } from "./retention.ts";
import { runStoreOf } from "./runs/sql-run-store.ts";
import { decidedRun } from "./webhooks/webhooks-under-test.ts";

const dayMs = 24 * 3_600_000;

const daysAgo = (days: number): Date => new Date(Date.now() - days * dayMs);

/** The id that was given that many days ago. */
function idOf(prefix: "run" | "msg", days: number): string {
  return `${prefix}_${daysAgo(days).getTime().toString(16).padStart(12, "0")}${newId("call").slice(-20)}`;
}

type Past = {
  readonly begun: number;
  /** Days ago. Undefined: it is not over. */
  readonly ended: number | undefined;
};

async function addRun(database: Database, { begun, ended }: Past): Promise<string> {
  const { id } = await decidedRun(runStoreOf(database, "node_1"), {
    id: idOf("run", begun),
    url: "https://example.com/hook",
  });
  await database.kysely
    .insertInto("run_events")
    .values({ run_id: id, sequence: 1, kind: "accepted", data: "{}" })
    .execute();
  if (ended !== undefined)
    await database.kysely
      .updateTable("runs")
      .set({ state: "over", ending: "done", ended_at: daysAgo(ended), updated_at: daysAgo(ended) })
      .where("id", "=", id)
      .execute();
  return id;
}

async function addDelivery(
  database: Database,
  days: number,
  state: "waiting" | "delivered" | "given_up" | "refused",
): Promise<string> {
  const id = idOf("msg", days);
  await database.kysely
    .insertInto("deliveries")
    .values({
      id,
      account_id: "acc_1",
      mode: "live",
      run_id: idOf("run", days),
      url: "https://example.com/hook",
      body: "{}",
      state,
      next_at: daysAgo(days),
      created_at: daysAgo(days),
      lease_until: null,
      last_status: null,
      last_fault: null,
      delivered_at: null,
    })
    .execute();
  return id;
}

async function idsIn(database: Database, table: "runs" | "deliveries"): Promise<readonly string[]> {
  const rows = await database.kysely.selectFrom(table).select("id").orderBy("id").execute();
  return rows.map(({ id }) => id);
}

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`retention on ${name}`, { skip: home }, () => {});
    continue;
  }
  describe(`retention on ${name}`, () => {
    const { database, otherDatabase } = home;
    const retention = new Retention({ database, log: silentLog, days: 30 });
    after(() => home.close());

    test("runs go with their events, a while after their end; one that goes on never does", async () => {
      const old = await addRun(database, { begun: 40, ended: 31 });
      const stays = [
        await addRun(database, { begun: 60, ended: undefined }),
        await addRun(database, { begun: 40, ended: 29 }),
        await addRun(database, { begun: 0, ended: 0 }),
      ];
      assert.equal((await retention.sweep()).runs, 1);
      assert.deepEqual(await idsIn(database, "runs"), stays.toSorted());
      const events = await database.kysely
        .selectFrom("run_events")
        .select("sequence")
        .where("run_id", "=", old)
        .execute();
      assert.deepEqual(events, []);
    });

    test("messages go when they are old, whatever came of them; one that still waits never does", async () => {
      for (const state of ["delivered", "given_up", "refused"] as const)
        await addDelivery(database, 31, state);
      const stays = [
        await addDelivery(database, 31, "waiting"),
        await addDelivery(database, 29, "delivered"),
      ];
      assert.equal((await retention.sweep()).deliveries, 3);
      assert.deepEqual(await idsIn(database, "deliveries"), stays.toSorted());
    });

    test("all that is old goes in one sweep, however much, and twice at once removes nothing twice", async () => {
      const kept = await idsIn(database, "deliveries");
      await Promise.all(Array.from({ length: 1_100 }, () => addDelivery(database, 45, "delivered")));
      const other = new Retention({ database: otherDatabase, log: silentLog, days: 30 });
      const [one, two] = await Promise.all([retention.sweep(), other.sweep()]);
      assert.equal(one.deliveries + two.deliveries, 1_100);
      assert.deepEqual(await idsIn(database, "deliveries"), kept);
    });

    test("with 0 days everything stays for ever", async () => {
      const id = await addRun(database, { begun: 4_000, ended: 3_999 });
      const never = new Retention({ database, log: silentLog, days: 0 });
      never.start();
      assert.deepEqual(await never.sweep(), { runs: 0, deliveries: 0 });
      await never.stop();
      assert.ok((await idsIn(database, "runs")).includes(id));
    });
  });
}
