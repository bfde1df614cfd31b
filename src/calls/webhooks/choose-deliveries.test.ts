import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseDeliveries, notNow } from "./choose-deliveries.ts";
import type { DueDelivery } from "./delivery-queue.ts";

const letters = "abcdefgh".split("");
const bounds = { inAll: 6, perReceiver: 2, perAccount: 4 };

function due(id: string, receiver: string, accountId: string): DueDelivery {
  return { id, receiver, accountId };
}

const chosenIds = (all: readonly DueDelivery[], running: readonly DueDelivery[] = []): readonly string[] =>
  chooseDeliveries(all, new Map(running.map((one) => [one.id, one])), bounds).map(({ id }) => id);

test("A receiver has two tries at once, an account four, the node six; the first that are due come first.", () => {
  const many = letters.map((id) => due(id, "slow", "acc_1"));
  assert.deepEqual(chosenIds([...many, due("z", "quick", "acc_2")]), ["a", "b", "z"]);
  const manyHosts = letters.map((id) => due(id, `${id}.slow`, "acc_1"));
  assert.deepEqual(chosenIds([...manyHosts, due("z", "quick", "acc_2")]), ["a", "b", "c", "d", "z"]);
  const manyAccounts = letters.map((id) => due(id, id, id));
  assert.deepEqual(chosenIds(manyAccounts), ["a", "b", "c", "d", "e", "f"]);
});

test("What runs counts: who has nothing at a receiver goes before who has a try there, and who is full is not looked for.", () => {
  const running = [due("1", "slow", "acc_1"), due("2", "slow", "acc_2"), due("3", "other", "acc_1")];
  const waiting = [due("a", "slow", "acc_3"), due("b", "other", "acc_1"), due("c", "other", "acc_3")];
  assert.deepEqual(chosenIds(waiting, running), ["c"]);
  assert.deepEqual(chosenIds(waiting.slice(0, 2), running), ["b"]);
  const known = new Map(running.map((one) => [one.id, one]));
  assert.deepEqual(notNow(known, bounds), { ids: ["1", "2", "3"], receivers: ["slow"], accountIds: [] });
  assert.deepEqual(notNow(known, { ...bounds, perAccount: 2 }).accountIds, ["acc_1"]);
});

test("A node's tries are shared among the accounts, however much longer one of them has waited.", () => {
  const own = letters.map((id) => due(id, `${id}.slow`, "acc_1"));
  const others = [due("y", "quick", "acc_2"), due("z", "other", "acc_3")];
  assert.deepEqual(chosenIds([...own, ...others], own.slice(0, 3)), ["d", "y", "z"]);
});
