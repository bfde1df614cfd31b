import assert from "node:assert/strict";
import { test } from "node:test";
import { GroupedWrites } from "./grouped-writes.ts";

/** Writes that end when told to; answers each item with its double. */
function heldUp(maxItems?: number) {
  const statements: (readonly number[])[] = [];
  const ends: (() => void)[] = [];
  const writes = new GroupedWrites<number, number>({
    write: (items) => {
      statements.push(items);
      return new Promise((resolve) => ends.push(() => resolve(items.map((item) => 2 * item))));
    },
    concernsAll: () => false,
    ...(maxItems !== undefined && { maxItems }),
  });
  const begun = async (): Promise<void> => {
    while (ends.length === 0) await turn();
  };
  /** Ends a statement, once it has begun. */
  const end = async (): Promise<void> => {
    await begun();
    ends.shift()?.();
  };
  return { writes, statements, begun, end };
}

/** Of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test("items of one turn go out together, and those that come meanwhile go out together in the next", async () => {
  const { writes, statements, begun, end } = heldUp();
  const first = [writes.add(1), writes.add(2)];
  await begun();
  const second = [writes.add(3), writes.add(4), writes.add(5)];
  await end();
  assert.deepEqual(await Promise.all(first), [2, 4]);
  await end();
  assert.deepEqual(await Promise.all(second), [6, 8, 10]);
  assert.deepEqual(statements, [
    [1, 2],
    [3, 4, 5],
  ]);
  await writes.idle();
});

test("whom a statement let go on, and who comes back at once, is in the next", async () => {
  const { writes, statements, begun, end } = heldUp();
  const first = writes.add(1);
  await begun();
  const second = writes.add(2);
  await end();
  await first;
  await turn();
  const third = writes.add(3);
  await end();
  assert.equal(await second, 4);
  assert.deepEqual(statements, [[1], [2, 3]]);
  assert.equal(await third, 6);
});

test("a statement takes no more items than it may, in their order", async () => {
  const { writes, statements, end } = heldUp(2);
  const answers = Promise.all([1, 2, 3, 4, 5].map((item) => writes.add(item)));
  for (let count = 0; count < 3; count++) await end();
  assert.deepEqual(await answers, [2, 4, 6, 8, 10]);
  assert.deepEqual(statements, [[1, 2], [3, 4], [5]]);
});

test("an item that cannot be written fails alone", async () => {
  const writes = new GroupedWrites<number, number>({
    write: (items) => (items.includes(2) ? Promise.reject(new Error("2 is bad")) : Promise.resolve(items)),
    concernsAll: () => false,
  });
  const answers = await Promise.allSettled([1, 2, 3].map((item) => writes.add(item)));
  assert.deepEqual(
    answers.map((answer) => (answer.status === "fulfilled" ? answer.value : String(answer.reason))),
    [1, "Error: 2 is bad", 3],
  );
});

test("a failure of the statement as a whole is every item's, without a second try", async () => {
  let statements = 0;
  const writes = new GroupedWrites<number, number>({
    write: () => {
      statements++;
      return Promise.reject(new Error("away"));
    },
    concernsAll: () => true,
  });
  const answers = await Promise.allSettled([1, 2, 3].map((item) => writes.add(item)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["rejected", "rejected", "rejected"],
  );
  assert.equal(statements, 1);
  await writes.idle();
});

test("a writer that answers too few items fails them instead of leaving one waiting", async () => {
  const writes = new GroupedWrites<number, number>({
    write: (items) => Promise.resolve(items.slice(1)),
    concernsAll: () => true,
  });
  const answers = await Promise.allSettled([writes.add(1), writes.add(2)]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["rejected", "rejected"],
  );
});
