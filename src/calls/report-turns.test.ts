import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../core/problems.ts";
import { ReportTurns } from "./report-turns.ts";

type Scene = {
  readonly ask: (accountId: string) => Promise<void>;
  /** Who began to read, in this order. */
  readonly began: readonly string[];
  /** Ends the oldest reading, and lets who comes next begin. */
  readonly end: () => Promise<void>;
};

function scene(): Scene {
  const turns = new ReportTurns();
  const began: string[] = [];
  const ends: (() => void)[] = [];
  return {
    began,
    ask: (accountId) =>
      turns.take(accountId, () => {
        began.push(accountId);
        return new Promise((resolve) => ends.push(resolve));
      }),
    async end() {
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

test("of an account one report is read at a time, of all two, and who asks for many delays nobody else", async () => {
  const { ask, began, end } = scene();
  const asked = ["a", "a", "a", "b", "b", "c"].map(ask);
  await new Promise(setImmediate);
  assert.deepEqual(began, ["a", "b"]);
  for (const _ of asked) await end();
  await Promise.all(asked);
  assert.deepEqual(began, ["a", "b", "c", "a", "b", "a"]);
});

test("a report that fails ends its turn", async () => {
  const turns = new ReportTurns();
  const fail = (): Promise<never> => Promise.reject(new Error("test"));
  await assert.rejects(turns.take("a", fail));
  assert.equal(await turns.take("a", () => Promise.resolve(1)), 1);
});

test("an account that has many reports waiting is refused more, and others are not", async () => {
  const { ask, end } = scene();
  const asked = Array.from({ length: 33 }, () => ask("a"));
  await assert.rejects(
    ask("a"),
    (error) => error instanceof Problem && error.code === "concurrency_limit_exceeded",
  );
  asked.push(ask("b"));
  await new Promise(setImmediate);
  for (const _ of asked) await end();
  await Promise.all(asked);
});
