import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { TurnableClock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import { openHomes } from "../ledger/ledger-homes.test-support.ts";
import type { Database } from "../storage/database.ts";
import { added, usageReports } from "./usage-report.ts";
import type { UsageQuestion } from "./usage-report.ts";

type Ended = {
  readonly model?: string;
  readonly at?: Date;
  readonly cost?: bigint;
  readonly usage?: Readonly<Record<string, number>>;
};

const today = new Date("2026-03-10T12:00:00.000Z");

async function addReceipt(database: Database, accountId: string, ended: Ended): Promise<string> {
  const { model = "test/model", at = today, cost = 1n, usage = {} } = ended;
  const callId = newId("call");
  await database.kysely
    .insertInto("receipts")
    .values({
      ...{ call_id: callId, account_id: accountId, key_id: "key_1", mode: "live", model },
      ...{ served_by: "test/upstream", usage: JSON.stringify(usage), estimated: false, cost, ending: "done" },
      ...{ problem: null, attempts: 1, started_at: at, ended_at: at },
    })
    .execute();
  return callId;
}

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`the usage report on ${name}`, { skip: home }, () => {});
    continue;
  }
  const { database } = home;
  const clock = new TurnableClock(today.getTime());
  const reports = usageReports(database, clock);
  const about = (accountId: string): UsageQuestion => ({ accountId, mode: "live", period: "month" });

  describe(`the usage report on ${name}`, () => {
    after(() => home.close());

    test("a receipt with part of a token is counted as a whole one, and hides no other", async () => {
      const accountId = newId("acc");
      await addReceipt(database, accountId, { usage: { input_tokens: 12.5, output_tokens: 3 } });
      await addReceipt(database, accountId, { usage: { input_tokens: 1e12, cache_read_tokens: 0.25 } });
      const { total } = await reports.read(about(accountId));
      assert.deepEqual(total, {
        requests: 2,
        cost: 2n,
        inputTokens: 1_000_000_000_014,
        outputTokens: 3,
      });
    });

    test("all parts of a report are of the same calls, also while calls end", async () => {
      const accountId = newId("acc");
      let hasEnded = false;
      const ending = (async () => {
        for (let count = 0; !hasEnded; count += 1)
          await addReceipt(home.otherDatabase, accountId, {
            model: `test/m${count % 3}`,
            cost: BigInt(count),
          });
      })();
      try {
        for (let count = 0; count < 200; count += 1) {
          const { total, byDay, recent } = await reports.read(about(accountId));
          const days = byDay.reduce(added, { requests: 0, cost: 0n, inputTokens: 0, outputTokens: 0 });
          assert.deepEqual(days, total);
          assert.equal(recent.length, Math.min(20, total.requests));
          if (total.requests <= 20)
            assert.equal(
              recent.reduce((sum, { cost }) => sum + cost, 0n),
              total.cost,
            );
        }
      } finally {
        hasEnded = true;
        await ending;
      }
    });

    test("models and UTC days are summed apart, in their order, and the latest calls come first", async () => {
      const accountId = newId("acc");
      const cost = 2n ** 62n;
      const at = (text: string): Date => new Date(text);
      const early = { at: at("2026-03-08T23:59:59.999Z"), usage: { input_tokens: 5, output_tokens: 7 } };
      const ids = [
        await addReceipt(database, accountId, { model: "b", cost, ...early }),
        await addReceipt(database, accountId, { model: "a", at: at("2026-03-09T00:00:00.000Z") }),
        await addReceipt(database, accountId, { model: "b", cost, at: at("2026-03-09T00:00:00.123Z") }),
      ];
      await addReceipt(database, accountId, { at: at("2026-02-08T23:59:59.999Z") });
      const report = await reports.read(about(accountId));
      const none = { inputTokens: 0, outputTokens: 0 };
      const told = { inputTokens: 5, outputTokens: 7 };
      assert.deepEqual(report.byModel, [
        { model: "a", requests: 1, cost: 1n, ...none },
        { model: "b", requests: 2, cost: 2n * cost, ...told },
      ]);
      assert.deepEqual(report.byDay, [
        { day: "2026-03-08", requests: 1, cost, ...told },
        { day: "2026-03-09", requests: 2, cost: cost + 1n, ...none },
      ]);
      assert.deepEqual(
        report.recent.map(({ callId }) => callId),
        ids.toReversed(),
      );
      assert.deepEqual(report.recent[0], {
        ...{ callId: ids[2], model: "b", servedBy: "test/upstream", cost, ending: "done", problem: null },
        ...{ estimated: false, endedAt: at("2026-03-09T00:00:00.123Z") },
      });
      const ofA = await reports.read({ ...about(accountId), isOfType: (model) => model === "a" });
      assert.deepEqual([ofA.total.cost, ofA.byDay.length, ofA.recent.length], [1n, 1, 1]);
      const nobody = await reports.read(about(newId("acc")));
      assert.deepEqual([nobody.total.requests, nobody.byDay, nobody.recent], [0, [], []]);
    });
  });
}
