import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { orAborted } from "./or-aborted.ts";

const reason = new Error("called off");

test("what is called off ends at once, before or while it runs, and its later failure hurts nobody", async () => {
  const controller = new AbortController();
  let fail = (): void => undefined;
  const slow = new Promise<string>((_, reject) => {
    fail = () => reject(new Error("too late"));
  });
  const waiting = orAborted(slow, controller.signal);
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  fail();
  await assert.rejects(orAborted(Promise.reject(new Error("at the same time")), controller.signal));
  await assert.rejects(orAborted(new Promise(() => {}), controller.signal), reason);
  await turn();
});

test("what is not called off brings its result or its own failure", async () => {
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(7), signal), 7);
  await assert.rejects(orAborted(Promise.reject(reason), signal), reason);
});
