import assert from "node:assert/strict";
import { newId } from "../core/ids.ts";
import type { LedgerPromise } from "./ledger-battery.ts";
import { accountWith, holdOf, linesIn, live, problem, receiptOf } from "./ledger-under-test.ts";
import type { LedgerUnderTest } from "./ledger-under-test.ts";
import type { TransferLine } from "./ledger.ts";

const grantPromises: readonly LedgerPromise[] = [
  [
    "C-12 the same grant gives once, however often and wherever it is asked for",
    async (test) => {
      const accountId = await test.account();
      const grant = {
        id: newId("grant"),
        accountId,
        mode: "live",
        amount: 1_000_000_000_000_000n,
        reason: "",
      } as const;
      const answers = await Promise.all([
        test.ledger.grant(grant),
        test.other.grant(grant),
        test.ledger.grant(grant),
      ]);
      for (const answer of answers) assert.deepEqual(answer, live(grant.amount, 0n));
      assert.equal((await linesIn(test.ledger, accountId)).length, 2);
    },
  ],
  [
    "C-12 a grant's id is not taken for another grant",
    async (test) => {
      const accountId = await test.account();
      const grant = { id: newId("grant"), accountId, mode: "live", amount: 5n, reason: "" } as const;
      await test.ledger.grant(grant);
      const others = [
        { amount: 6n },
        { mode: "test" },
        { accountId: await test.account() },
        { reason: "another" },
      ] as const;
      for (const other of others) {
        await assert.rejects(test.ledger.grant({ ...grant, ...other }), problem("idempotency_key_reused"));
      }
      assert.deepEqual(await test.ledger.balances(accountId), live(5n, 0n));
    },
  ],
  [
    "C-12 a grant of nothing, of less, or out of range is refused",
    async (test) => {
      const accountId = await test.account();
      for (const amount of [0n, -1n, 1_000_000_000_000_001n, 2n ** 63n]) {
        const grant = { id: newId("grant"), accountId, mode: "live", amount, reason: "" } as const;
        await assert.rejects(test.ledger.grant(grant), problem("invalid_request"));
      }
      assert.deepEqual(await linesIn(test.ledger, accountId), []);
    },
  ],
  [
    "an account that does not exist is not found, and gets no books",
    async (test) => {
      const grant = {
        id: newId("grant"),
        accountId: "acc_unknown",
        mode: "live",
        amount: 5n,
        reason: "",
      } as const;
      await assert.rejects(test.ledger.grant(grant), problem("not_found"));
      await assert.rejects(test.ledger.balances("acc_unknown"), problem("not_found"));
    },
  ],
  [
    "the balances of many accounts are read at once, and unknown ones are left out",
    async (test) => {
      const [rich, poor] = [await accountWith(test, 5n), await test.account()];
      const balances = await test.ledger.balancesOf([rich, poor, "acc_unknown"]);
      assert.deepEqual(
        balances,
        new Map([
          [rich, live(5n, 0n)],
          [poor, live(0n, 0n)],
        ]),
      );
      assert.deepEqual(await test.ledger.balancesOf([]), new Map());
    },
  ],
];

/** Keeps two calls at once going on an account while something else is done. */
async function amidTraffic(
  test: LedgerUnderTest,
  accountId: string,
  meanwhile: () => Promise<void>,
): Promise<void> {
  let hasEnded = false;
  const writing = (async () => {
    for (let count = 0; !hasEnded; count++) {
      const calls = [holdOf(accountId), holdOf(accountId)];
      await Promise.all(calls.map((call, index) => (index === 0 ? test.ledger : test.other).hold(call)));
      await Promise.all(calls.map((call) => test.ledger.close(receiptOf(call, BigInt(count % 120)))));
    }
  })();
  try {
    await Promise.race([meanwhile(), writing]);
  } finally {
    hasEnded = true;
    await writing;
  }
}

const readingPromises: readonly LedgerPromise[] = [
  [
    "C-16 pages of seven lines, read while calls are written, show every line once",
    async (test) => {
      const accountId = await accountWith(test, 1_000_000n);
      const lines: TransferLine[] = [];
      await amidTraffic(test, accountId, async () => {
        while (lines.length < 400) {
          const page = await test.other.transfers({ accountId, mode: "live", after: lines.length, limit: 7 });
          assert.equal(page.lines.length === 7 || !page.hasMore, true);
          lines.push(...page.lines);
        }
      });
      const whole = await linesIn(test.ledger, accountId, { limit: 1_000 });
      assert.deepEqual(lines, whole.slice(0, lines.length));
      assert.deepEqual(
        whole.map(({ sequence }) => sequence),
        whole.map((_, index) => index + 1),
      );
      const balance = { available: 0n, held: 0n };
      for (const { book, amount } of whole) {
        if (book === "available" || book === "held") balance[book] += amount;
        assert.equal(balance.available >= 0n && balance.held >= 0n, true);
      }
      assert.deepEqual((await test.ledger.balances(accountId)).live, balance);
    },
  ],
  [
    "C-18 an audit in the midst of traffic finds nothing wrong",
    async (test) => {
      const accountId = await accountWith(test, 1_000_000n);
      await amidTraffic(test, accountId, async () => {
        for (let count = 0; count < 10; count++) {
          const audit = await test.other.audit();
          assert.deepEqual(audit.faults, []);
          assert.equal(audit.ok, true);
          assert.ok(audit.books >= 2 && audit.transfers >= 1);
        }
      });
    },
  ],
];

/** What every ledger promises about accounts and about reading. */
export const booksPromises: readonly LedgerPromise[] = [...grantPromises, ...readingPromises];
