import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { systemClock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import { silentLog } from "../core/log.ts";
import type { Database } from "../storage/database.ts";
import { booksPromises } from "./books-battery.ts";
import { callPromises } from "./ledger-battery.ts";
import { addAccount, openHomes } from "./ledger-homes.test-support.ts";
import { keepsToTheModel, losesNothing } from "./ledger-properties.test-support.ts";
import type { LedgerUnderTest } from "./ledger-under-test.ts";
import { accountWith, holdOf, receiptOf } from "./ledger-under-test.ts";
import { sqlLedger } from "./sql-ledger.ts";

/** Damage done behind the ledger's back, its repair, and what an audit must say of it. */
const damages: readonly (readonly [what: string, damage: string, repair: string, fault: RegExp])[] = [
  [
    "a balance is not the sum of its transfers",
    "update books set available = available + 1, grants = grants - 1 where account_id = $account and mode = 'live'",
    "update books set available = available - 1, grants = grants + 1 where account_id = $account and mode = 'live'",
    /transfers of .* do not add up/,
  ],
  [
    "the last line number is wrong",
    "update books set sequence = sequence + 1 where account_id = $account and mode = 'live'",
    "update books set sequence = sequence - 1 where account_id = $account and mode = 'live'",
    /not numbered from 1 without gaps/,
  ],
  [
    "a transfer is missing from the numbers",
    "update transfers set sequence = 1000 where call_id = $open",
    "update transfers set sequence = 5 where call_id = $open",
    /not numbered from 1 without gaps/,
  ],
  [
    "a book was below zero for a while",
    "update transfers set sequence = sequence + 100 where account_id = $account and kind = 'grant'",
    "update transfers set sequence = sequence - 100 where account_id = $account and kind = 'grant'",
    /below zero at some time/,
  ],
  [
    "an open hold is larger than what was taken",
    "update holds set amount = amount + 1 where call_id = $open",
    "update holds set amount = amount - 1 where call_id = $open",
    /open holds of .* do not add up/,
  ],
  [
    "a call lost its hold",
    "update holds set call_id = 'call_lost' where call_id = $open",
    "update holds set call_id = $open where call_id = 'call_lost'",
    /is neither open nor closed[^]*has 0 holds|has 0 holds[^]*is neither open nor closed/,
  ],
  [
    "a call holds twice",
    "update transfers set call_id = $open where call_id = $closed",
    "update transfers set call_id = $closed where id like $closed || ':%'",
    /has 2 holds/,
  ],
  [
    "a customer got more back than the receipt says",
    "update transfers set available = available + 1, revenue = revenue - 1 where id = $closed || ':settle'",
    "update transfers set available = available - 1, revenue = revenue + 1 where id = $closed || ':settle'",
    /does not state what was charged/,
  ],
  [
    "a call gave back less than it held",
    "update transfers set held = held + 1, revenue = revenue - 1 where id = $closed || ':settle'",
    "update transfers set held = held - 1, revenue = revenue + 1 where id = $closed || ':settle'",
    /closed for more or less than it held/,
  ],
  [
    "a receipt states another cost",
    "update receipts set cost = cost + 1 where call_id = $closed",
    "update receipts set cost = cost - 1 where call_id = $closed",
    /does not state what was charged/,
  ],
  [
    "a receipt is another account's",
    "update receipts set account_id = 'acc_other' where call_id = $closed",
    "update receipts set account_id = $account where call_id = $closed",
    /receipt of the call .* is not its payer's/,
  ],
  [
    "a receipt is of another mode",
    "update receipts set mode = 'test' where call_id = $closed",
    "update receipts set mode = 'live' where call_id = $closed",
    /receipt of the call .* is not its payer's/,
  ],
  [
    "a receipt is missing",
    "update receipts set call_id = 'call_lost' where call_id = $closed",
    "update receipts set call_id = $closed where call_id = 'call_lost'",
    /has no receipt/,
  ],
  [
    "an open call has a receipt",
    "update receipts set call_id = $open where call_id = $closed",
    "update receipts set call_id = $closed where call_id = $open",
    /is both open and closed/,
  ],
  [
    "there are transfers without books",
    "update transfers set account_id = 'acc_none' where call_id = $open",
    "update transfers set account_id = $account where call_id = $open",
    /books of acc_none \(live\) do not exist/,
  ],
  [
    "an account has no books",
    "delete from books where account_id = $account and mode = 'test'",
    "insert into books (account_id, mode) values ($account, 'test')",
    /^The account acc_[0-9a-f]{32} has no test books\.$/,
  ],
  [
    "a call took from one book and gave back to another",
    "update transfers set mode = 'test' where id = $closed || ':hold'",
    "update transfers set mode = 'live' where id = $closed || ':hold'",
    /books of 2 payers/,
  ],
];

const bounded = { timeout: 60_000 };

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`a ledger on ${name} keeps its promises`, { skip: home }, () => {});
    continue;
  }
  const { database, otherDatabase } = home;
  const ledger = ledgerOn(database);
  const underTest: LedgerUnderTest = {
    ledger,
    other: ledgerOn(otherDatabase),
    account: () => addAccount(database),
  };

  // Not inside the suite: it must also run when a name pattern leaves the whole suite out.
  after(async () => {
    await underTest.ledger.stop();
    await underTest.other.stop();
    await home.close();
  });

  describe(`a ledger on ${name}`, () => {
    for (const [sentence, check] of [...callPromises, ...booksPromises]) {
      test(sentence, bounded, () => check(underTest));
    }

    test("answers as the model does, whatever is asked, also of many calls at once", bounded, () =>
      fc.assert(keepsToTheModel(underTest), { numRuns: 60 }),
    );

    test("loses and makes no credit when two ledgers grant, hold and close at once", bounded, () =>
      fc.assert(losesNothing(underTest), { numRuns: 60 }),
    );

    for (const [what, damage, repair, fault] of damages) {
      test(`the audit finds that ${what}`, bounded, async () => {
        const accountId = await accountWith(underTest, 1_000n);
        const calls = [holdOf(accountId), holdOf(accountId)] as const;
        for (const call of calls) await ledger.hold(call);
        await ledger.close(receiptOf(calls[0], 40n));
        assert.deepEqual((await ledger.audit()).faults, []);
        const [closed, open] = calls.map((call) => call.callId);
        await change(database, damage, { account: accountId, closed, open });
        const audit = await ledger.audit();
        assert.equal(audit.ok, false);
        assert.match(audit.faults.join("\n"), fault);
        await change(database, repair, { account: accountId, closed, open });
        assert.deepEqual((await ledger.audit()).faults, []);
        await ledger.close(receiptOf(calls[1], 0n));
      });
    }

    test("after all this the audit finds nothing wrong", bounded, async () => {
      const audit = await underTest.ledger.audit();
      assert.deepEqual(audit.faults, []);
      assert.ok(audit.transfers > 1_000);
    });
  });
}

function ledgerOn(database: Database) {
  return sqlLedger({ database, nodeId: newId("node"), clock: systemClock, log: silentLog });
}

async function change(
  database: Database,
  text: string,
  names: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const named = text.replaceAll(/\$(\w+)/g, (_, name: string) => `'${names[name] ?? ""}'`);
  for (const statement of named.split(";")) await database.run({ name: "", text: statement }, []);
}
