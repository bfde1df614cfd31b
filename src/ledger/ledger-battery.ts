import assert from "node:assert/strict";
import type { Credits } from "../core/credits.ts";
import { newId } from "../core/ids.ts";
import { accountWith, holdOf, linesIn, live, receiptOf } from "./ledger-under-test.ts";
import type { LedgerUnderTest } from "./ledger-under-test.ts";

/** One promise of every ledger: its sentence, and the check that it is kept. */
export type LedgerPromise = readonly [sentence: string, check: (test: LedgerUnderTest) => Promise<void>];

const holdPromises: readonly LedgerPromise[] = [
  [
    "C-02 of 200 calls at once on a balance for 10 exactly 10 hold, and nothing is left over",
    async (test) => {
      const accountId = await accountWith(test, 1_000_000n);
      const answers = await Promise.all(
        Array.from({ length: 200 }, () =>
          test.ledger.hold(holdOf(accountId, { amount: 100_000n, minimum: 100_000n })),
        ),
      );
      assert.equal(answers.filter(({ held }) => held === 100_000n).length, 10);
      assert.equal(answers.filter(({ held }) => held === undefined).length, 190);
      assert.deepEqual(await test.ledger.balances(accountId), live(0n, 1_000_000n));
    },
  ],
  [
    "C-02 two ledgers on one account do not overdraw it together",
    async (test) => {
      const accountId = await accountWith(test, 1_000n);
      const calls = Array.from({ length: 200 }, () => holdOf(accountId, { minimum: 100n }));
      const answers = await Promise.all(
        calls.map((call, index) => (index % 2 === 0 ? test.ledger : test.other).hold(call)),
      );
      const held = calls.filter((_, index) => answers[index]?.held !== undefined);
      assert.equal(held.length, 10);
      await Promise.all(
        held.map((call, index) => (index % 2 === 0 ? test.ledger : test.other).close(receiptOf(call, 100n))),
      );
      assert.deepEqual(await test.other.balances(accountId), live(0n, 0n));
    },
  ],
  [
    "C-15 a hold takes what there is, as long as that buys a useful answer",
    async (test) => {
      const accountId = await accountWith(test, 150n);
      assert.deepEqual(await test.ledger.hold(holdOf(accountId)), { held: 100n, available: 50n });
      assert.deepEqual(await test.ledger.hold(holdOf(accountId, { minimum: 51n })), {
        held: undefined,
        available: 50n,
      });
      assert.deepEqual(await test.ledger.hold(holdOf(accountId, { minimum: 50n })), {
        held: 50n,
        available: 0n,
      });
      assert.deepEqual(await test.ledger.hold(holdOf(accountId, { amount: 0n, minimum: 0n })), {
        held: 0n,
        available: 0n,
      });
    },
  ],
  [
    "C-04 a refused hold leaves no line and no hold",
    async (test) => {
      const accountId = await test.account();
      assert.deepEqual(await test.ledger.hold(holdOf(accountId)), { held: undefined, available: 0n });
      assert.deepEqual(await test.ledger.hold(holdOf("acc_unknown")), { held: undefined, available: 0n });
      assert.deepEqual(await linesIn(test.ledger, accountId), []);
    },
  ],
  [
    "a call that asks again holds once, at the same time and later, and nothing after its end",
    async (test) => {
      const accountId = await accountWith(test, 1_000n);
      const call = holdOf(accountId);
      const answers = await Promise.all([
        test.ledger.hold(call),
        test.ledger.hold(holdOf(accountId)),
        test.ledger.hold(call),
        test.other.hold(call),
      ]);
      assert.deepEqual(
        answers.map(({ held }) => held),
        [100n, 100n, 100n, 100n],
      );
      assert.deepEqual(await test.ledger.balances(accountId), live(800n, 200n));
      await test.ledger.close(receiptOf(call, 40n));
      assert.deepEqual(await test.ledger.hold(call), { held: undefined, available: 860n });
      assert.deepEqual(await test.ledger.balances(accountId), live(860n, 100n));
    },
  ],
  [
    "live and test credits of an account never mix",
    async (test) => {
      const accountId = await accountWith(test, 100n);
      assert.equal((await test.ledger.hold(holdOf(accountId, { mode: "test" }))).held, undefined);
      await test.ledger.grant({ id: newId("grant"), accountId, mode: "test", amount: 7n, reason: "test" });
      assert.equal((await test.ledger.hold(holdOf(accountId, { mode: "test" }))).held, 7n);
      assert.deepEqual(await test.ledger.balances(accountId), {
        live: { available: 100n, held: 0n },
        test: { available: 0n, held: 7n },
      });
    },
  ],
  [
    "a request the database cannot store fails alone, not those that were written with it",
    async (test) => {
      const accountId = await accountWith(test, 1_000n);
      const answers = await Promise.allSettled([
        test.ledger.hold(holdOf(accountId)),
        test.ledger.hold(holdOf(accountId, { model: "no\u0000text" })),
        test.ledger.hold(holdOf(accountId)),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      assert.deepEqual(await test.ledger.balances(accountId), live(800n, 200n));
    },
  ],
];

const closePromises: readonly LedgerPromise[] = [
  [
    "C-01 a close charges the cost and gives the rest back, line by line",
    async (test) => {
      const accountId = await accountWith(test, 1_000n);
      const call = holdOf(accountId);
      await test.ledger.hold(call);
      assert.deepEqual(await test.ledger.close(receiptOf(call, 40n)), { charged: 40n, available: 960n });
      const lines = await linesIn(test.ledger, accountId);
      assert.deepEqual(
        lines.map(({ sequence, kind, book, amount }) => `${sequence} ${kind} ${book} ${amount}`),
        [
          "1 grant grants -1000",
          "2 grant available 1000",
          "3 hold available -100",
          "4 hold held 100",
          "5 settle held -100",
          "6 settle revenue 40",
          "7 settle available 60",
        ],
      );
      assert.deepEqual(
        [lines[3], lines[4]].map((line) => [line?.id, line?.callId]),
        [
          [`${call.callId}:hold`, call.callId],
          [`${call.callId}:settle`, call.callId],
        ],
      );
    },
  ],
  [
    "what a call costs above its hold is the operator's loss",
    async (test) => {
      const accountId = await accountWith(test, 150n);
      const call = holdOf(accountId);
      await test.ledger.hold(call);
      assert.deepEqual(await test.ledger.close(receiptOf(call, 130n)), { charged: 100n, available: 50n });
      const lines = (await linesIn(test.ledger, accountId)).filter(({ kind }) => kind === "settle");
      assert.deepEqual(
        lines.map(({ sequence, book, amount }) => `${sequence} ${book} ${amount}`),
        ["5 held -100", "6 revenue 130", "7 available 0", "8 loss -30"],
      );
    },
  ],
  [
    "C-05 a call that costs nothing gives its hold back whole",
    async (test) => {
      const accountId = await accountWith(test, 100n);
      const call = holdOf(accountId);
      await test.ledger.hold(call);
      assert.deepEqual(await test.ledger.close(receiptOf(call, 0n, { ending: "empty" })), {
        charged: 0n,
        available: 100n,
      });
      const lines = (await linesIn(test.ledger, accountId)).slice(4);
      assert.deepEqual(
        lines.map(({ id, book, amount }) => `${id} ${book} ${amount}`),
        [`${call.callId}:release held -100`, `${call.callId}:release available 100`],
      );
    },
  ],
  [
    "C-09 a call that is closed again is charged once and answered as the first time",
    async (test) => {
      const accountId = await accountWith(test, 1_000n);
      const call = holdOf(accountId);
      await test.ledger.hold(call);
      const answers = await Promise.all([
        test.ledger.close(receiptOf(call, 40n)),
        test.ledger.close(receiptOf(call, 40n)),
        test.other.close(receiptOf(call, 40n)),
      ]);
      answers.push(
        await test.ledger.close(receiptOf(call, 90n)),
        await test.other.close(receiptOf(call, 0n)),
      );
      for (const answer of answers) assert.deepEqual(answer, { charged: 40n, available: 960n });
      assert.deepEqual(await test.ledger.balances(accountId), live(960n, 0n));
    },
  ],
  [
    "a call that never held is charged nothing, and cannot hold afterwards",
    async (test) => {
      const accountId = await accountWith(test, 500n);
      const call = holdOf(accountId);
      assert.deepEqual(await test.ledger.close(receiptOf(call, 40n)), { charged: 0n, available: 500n });
      assert.deepEqual(await test.ledger.hold(call), { held: undefined, available: 500n });
    },
  ],
  [
    "C-03 each close answers with the balance right after it, also when many are written together",
    async (test) => {
      const accountId = await accountWith(test, 10_000n);
      const calls = Array.from({ length: 50 }, () => holdOf(accountId));
      await Promise.all(calls.map((call) => test.ledger.hold(call)));
      const closes = await Promise.all(
        calls.map((call, index) => test.ledger.close(receiptOf(call, BigInt(index)))),
      );
      let available = 0n;
      const after = new Map<string | null, Credits>();
      for (const line of await linesIn(test.ledger, accountId)) {
        if (line.book === "available") available += line.amount;
        after.set(line.callId, available);
      }
      assert.deepEqual(
        closes.map((close) => close.available),
        calls.map((call) => after.get(call.callId)),
      );
    },
  ],
];

/** What every ledger promises about calls. */
export const callPromises: readonly LedgerPromise[] = [...holdPromises, ...closePromises];
