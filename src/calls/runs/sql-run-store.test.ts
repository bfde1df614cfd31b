import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { sql } from "kysely";
import { startPostgres } from "../../../tests/support/postgres.ts";
import { openHomes } from "../../ledger/ledger-homes.test-support.ts";
import { DatabaseUnavailable } from "../../storage/database.ts";
import { decidedRun } from "../webhooks/webhooks-under-test.ts";
import { runStoreOf } from "./sql-run-store.ts";

const server = await startPostgres({ own: true });
after(async () => {
  if (!("skipped" in server)) await server.stop();
});

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`runs on ${name}`, { skip: home }, () => {});
    continue;
  }
  describe(`runs on ${name}`, () => {
    const store = runStoreOf(home.database, "node_1");
    after(() => home.close());

    test("what a customer sent is gone once the run is over; what came of it stays", async () => {
      const decided = await decidedRun(store, { url: "https://example.com/hook" });
      const whole = () =>
        home.database.kysely.selectFrom("runs").selectAll().where("id", "=", decided.id).executeTakeFirst();
      assert.deepEqual((await whole())?.inputs, { url: "https://example.com" });
      assert.ok(await store.end(decided, 1n, undefined));
      const over = await whole();
      assert.deepEqual([over?.state, over?.inputs, over?.memory], ["over", {}, null]);
      assert.deepEqual(over?.output, { markdown: "# Grüße ✓" });
    });

    test("who looks how far a run is does not read again what was sent with it", async () => {
      const {
        id,
        account_id: accountId,
        mode,
      } = await decidedRun(store, { url: "https://example.com/hook" });
      const listed = await store.list({ accountId, mode, status: undefined, limit: 200 });
      for (const seen of [await store.read(id), listed.find((one) => one.id === id)]) {
        assert.equal(seen?.id, id);
        assert.deepEqual(
          Object.keys(seen).filter((name) => name === "inputs" || name === "memory"),
          [],
        );
      }
    });

    test("a list of runs is no larger than some results, and tells which it left out: the largest", async () => {
      const accountId = "acc_of_large_results";
      const ids: string[] = [];
      for (const count of [150_000, 1, 100_000, 10]) {
        const numbers = sql`(select jsonb_build_object('vectors', jsonb_agg(random())) from generate_series(1, ${count}))`;
        const { id } = await decidedRun(store, { url: "https://example.com/hook", accountId });
        await sql`update runs set output = ${numbers} where id = ${id}`.execute(home.database.kysely);
        ids.push(id);
      }
      const listed = await store.list({ accountId, mode: "live", status: undefined, limit: 200 });
      assert.deepEqual(
        listed.map(({ id, output, is_without_output: isWithout }) => [id, output === null, isWithout]),
        ids.map((id, index) => [id, index === 0, index === 0]).toReversed(),
      );
      assert.ok((await store.read(ids[0] ?? ""))?.output !== null);
    });

    test("what is driven here is not taken, whatever its lease says; what was given back is, at once and once", async () => {
      const { id, claim } = await decidedRun(store, { url: "https://example.com/hook" });
      await store.letGo([{ id, claim }]);
      assert.deepEqual(await store.claimAbandoned(50, [{ id, claim }]), []);
      const [row] = await store.claimAbandoned(50, [{ id, claim: claim + 1n }]);
      assert.deepEqual([row?.id, row?.claim], [id, claim + 1n]);
      assert.deepEqual(await store.claimAbandoned(50, []), []);
    });

    if (name === "postgres" && !("skipped" in server) && server.isOurs)
      test("leases that ran out while the database was away are not taken before their holders could renew them", async () => {
        const held = await decidedRun(store, { url: "https://example.com/hook" });
        await home.database.kysely
          .updateTable("runs")
          .set({ lease_until: sql`clock_timestamp() - interval '1 second'` })
          .where("id", "=", held.id)
          .execute();
        await server.kill();
        await server.restart();
        const other = runStoreOf(home.otherDatabase, "node_2");
        assert.deepEqual(await afterRestart(() => other.claimAbandoned(50, [])), []);
      });

    test("a run ends once", async () => {
      const decided = await decidedRun(store, { url: "https://example.com/hook" });
      const ends = await Promise.all([store.end(decided, 1n, undefined), store.end(decided, 2n, undefined)]);
      assert.deepEqual(ends.toSorted(), [false, true]);
    });
  });
}

/** Connections from before the restart break with the first statement. */
async function afterRestart<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || tries === 10) throw error;
    }
  }
}
