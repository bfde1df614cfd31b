import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function work(log: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const run = async (): Promise<void> => {
    log.push(name);
    await promise;
  };
  return { run, end: () => resolve(undefined) };
}

/** All that can happen without a timer has happened. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test("no more run at once than may, the others in the order in which they came", async () => {
  const turns = new Turns({ atOnce: 2 });
  const log: string[] = [];
  const works = ["a", "b", "c", "d"].map((name) => work(log, name));
  const taken = works.map(({ run }) => turns.take(never, run));
  await quiet();
  assert.deepEqual(log, ["a", "b"]);
  works[1]?.end();
  await quiet();
  assert.deepEqual(log, ["a", "b", "c"]);
  for (const { end } of works) end();
  await Promise.all(taken);
  assert.deepEqual(log, ["a", "b", "c", "d"]);
});

test("work that fails gives its turn on", async () => {
  const turns = new Turns({ atOnce: 1 });
  const failing = turns.take(never, () => Promise.reject(new Error("failed")));
  const next = turns.take(never, async () => "next");
  await assert.rejects(failing, /^Error: failed$/);
  assert.equal(await next, "next");
});

test("who leaves while waiting takes no turn, and one too many is refused", async () => {
  const turns = new Turns({ atOnce: 1, mostWaiting: 1, full: () => new Error("full") });
  const log: string[] = [];
  const first = work(log, "first");
  const running = turns.take(never, first.run);
  const leaving = new AbortController();
  const left = turns.take(leaving.signal, work(log, "left").run);
  await assert.rejects(turns.take(never, work(log, "refused").run), /^Error: full$/);
  leaving.abort(new Error("left"));
  await assert.rejects(left, /^Error: left$/);
  const last = turns.take(never, async () => log.push("last"));
  first.end();
  await Promise.all([running, last]);
  assert.deepEqual(log, ["first", "last"]);
});
