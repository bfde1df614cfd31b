import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openHomes } from "../../ledger/ledger-homes.test-support.ts";
import { decidedRun } from "../webhooks/webhooks-under-test.ts";
import { runStoreOf } from "./sql-run-store.ts";

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
      const before = await store.read(decided.id);
      assert.deepEqual(before?.inputs, { url: "https://example.com" });
      assert.ok(await store.end(decided, 1n, undefined));
      const over = await store.read(decided.id);
      assert.deepEqual([over?.state, over?.inputs, over?.memory], ["over", {}, null]);
      assert.deepEqual(over?.output, { markdown: "# Grüße ✓" });
    });

    test("a run ends once", async () => {
      const decided = await decidedRun(store, { url: "https://example.com/hook" });
      const ends = await Promise.all([store.end(decided, 1n, undefined), store.end(decided, 2n, undefined)]);
      assert.deepEqual(ends.toSorted(), [false, true]);
    });
  });
}
