import assert from "node:assert/strict";
import fc from "fast-check";
import { newId } from "../core/ids.ts";
import { LedgerModel } from "./ledger-model.test-support.ts";
import { holdOf, receiptOf } from "./ledger-under-test.ts";
import type { LedgerUnderTest } from "./ledger-under-test.ts";
import type { Grant, HoldRequest } from "./ledger.ts";

const accountCount = 3;
const callCount = 12;
const grantCount = 6;
const amount = fc.oneof(fc.bigInt(0n, 60n), fc.constantFrom(0n, 1n, 100n, 1_000n));
const call = fc.nat(callCount - 1);

const grants = fc.array(fc.record({ account: fc.nat(accountCount - 1), amount: fc.bigInt(1n, 300n) }), {
  minLength: grantCount,
  maxLength: grantCount,
});
const holdStep = fc.record({ call, amount, minimum: amount });
const closeStep = fc.record({ call, cost: amount });

/** Steps of one kind that are asked for at once: their order is kept, so their answers are known. */
const round = fc.oneof(
  fc.record({ grant: fc.nat(grantCount - 1) }),
  fc.record({ holds: fc.array(holdStep, { minLength: 1, maxLength: 8 }) }),
  fc.record({ closes: fc.array(closeStep, { minLength: 1, maxLength: 8 }) }),
);

/** The accounts, grants and calls of one run; a call always belongs to the same account. */
type Cast = { readonly accounts: readonly string[]; readonly calls: readonly HoldRequest[] };

async function cast(test: LedgerUnderTest): Promise<Cast> {
  const accounts = await Promise.all(Array.from({ length: accountCount }, () => test.account()));
  const calls = Array.from({ length: callCount }, (_, index) => holdOf(at(accounts, index % accountCount)));
  return { accounts, calls };
}

function grantsOf({ accounts }: Cast, given: readonly { account: number; amount: bigint }[]): Grant[] {
  return given.map(({ account, amount: granted }) => ({
    id: newId("grant"),
    accountId: at(accounts, account),
    mode: "live",
    amount: granted,
    reason: "",
  }));
}

/** Every answer of the ledger is the model's, whatever is asked, in whatever order, as often as it is. */
export function keepsToTheModel(test: LedgerUnderTest): fc.IAsyncPropertyWithHooks<unknown[]> {
  return fc.asyncProperty(grants, fc.array(round, { maxLength: 25, size: "max" }), async (given, rounds) => {
    const model = new LedgerModel();
    const people = await cast(test);
    const known = grantsOf(people, given);
    for (const steps of rounds) {
      if ("grant" in steps) {
        const grant = at(known, steps.grant);
        const balances = await test.ledger.grant(grant);
        assert.equal(balances.live.available, model.grant(grant));
      } else if ("holds" in steps) {
        const asked = steps.holds.map((step) => ({ ...at(people.calls, step.call), ...priceOf(step) }));
        const answers = await Promise.all(asked.map((request) => test.ledger.hold(request)));
        assert.deepEqual(
          answers,
          asked.map((request) => model.hold(request)),
        );
      } else {
        const asked = steps.closes.map((step) => receiptOf(at(people.calls, step.call), step.cost));
        const answers = await Promise.all(asked.map((receipt) => test.ledger.close(receipt)));
        assert.deepEqual(
          answers,
          asked.map((receipt) => model.close(receipt)),
        );
      }
    }
    for (const accountId of people.accounts) {
      const { live } = await test.ledger.balances(accountId);
      assert.equal(live.available, model.available(accountId));
    }
  });
}

const priceOf = (step: { amount: bigint; minimum: bigint }) => ({
  amount: step.amount,
  minimum: step.minimum,
});

const life = fc.record({
  call,
  amount,
  minimum: amount,
  closes: fc.array(amount, { maxLength: 3 }),
  elsewhere: fc.boolean(),
});

/** Whatever runs at once on two ledgers: what was granted is what is left, on hold, or charged. */
export function losesNothing(test: LedgerUnderTest): fc.IAsyncPropertyWithHooks<unknown[]> {
  return fc.asyncProperty(grants, fc.array(life, { maxLength: 40, size: "max" }), async (given, lives) => {
    const people = await cast(test);
    const held = new Map<string, bigint>();
    const charged = new Map<string, bigint>();
    const known = grantsOf(people, given);
    const granting = known.map((grant) => Promise.all([test.ledger.grant(grant), test.other.grant(grant)]));
    const living = lives.map(async ({ call: index, closes, elsewhere, ...price }) => {
      const [here, there] = elsewhere ? [test.other, test.ledger] : [test.ledger, test.other];
      const request = { ...at(people.calls, index), ...price };
      const answer = await here.hold(request);
      if (answer.held !== undefined) agree(held, request.callId, answer.held);
      const ends = closes.map((cost, nth) => (nth % 2 === 0 ? here : there).close(receiptOf(request, cost)));
      for (const end of await Promise.all(ends)) agree(charged, request.callId, end.charged);
    });
    await Promise.all([...granting, ...living]);
    for (const accountId of people.accounts) {
      const { live } = await test.ledger.balances(accountId);
      const own = people.calls.filter((request) => request.accountId === accountId);
      const open = sum(own.map(({ callId }) => (charged.has(callId) ? 0n : (held.get(callId) ?? 0n))));
      const spent = sum(own.map(({ callId }) => charged.get(callId) ?? 0n));
      const granted = sum(
        known.filter((grant) => grant.accountId === accountId).map((grant) => grant.amount),
      );
      assert.deepEqual(live, { available: granted - open - spent, held: open });
    }
  });
}

/** All answers about one call are the same. */
function agree(answers: Map<string, bigint>, callId: string, answer: bigint): void {
  assert.equal(answer, answers.get(callId) ?? answer);
  answers.set(callId, answer);
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, each) => total + each, 0n);
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  assert.ok(item !== undefined);
  return item;
}
