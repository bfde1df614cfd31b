import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { TurnableClock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import { openHomes } from "../ledger/ledger-homes.test-support.ts";
import type { Database } from "../storage/database.ts";
import { usageReports } from "./usage-report.ts";
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
  });
}
