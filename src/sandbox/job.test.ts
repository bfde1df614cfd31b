import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jobDesk } from "./job-desk.ts";
import { idOf, jobAt, planIn } from "./job.ts";
import type { JobPlan } from "./job.ts";

const plan: JobPlan = {
  begunAt: 1_800_000_000_000,
  workMs: 1_000,
  seed: "0123456789abcdef",
  serial: 1,
  orders: { end: "done", workMs: 1_000, unknownPolls: 0, pollStatus: undefined, fileMs: undefined },
  facts: { width: 640, prompt: "Größe" },
};

test("an id holds the whole plan of a job", () => {
  const orders = fc.record({
    end: fc.constantFrom("done" as const, "fail" as const, "refused" as const, "never" as const),
    unknownPolls: fc.nat(1_000),
    pollStatus: fc.option(fc.integer({ min: 400, max: 599 }), { nil: undefined }),
    fileMs: fc.option(fc.nat(), { nil: undefined }),
  });
  const facts = fc.dictionary(fc.string({ maxLength: 20 }), fc.oneof(fc.nat(), fc.string(), fc.boolean()), {
    maxKeys: 5,
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(orders, facts, fc.nat(), (ordered, known, workMs) => {
      const whole = { ...plan, workMs, orders: { ...ordered, workMs }, facts: known };
      assert.deepEqual(planIn(idOf(whole)), whole);
    }),
  );
});

test("what is no id is no job, and what is no sensible one does no harm", () => {
  const written = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const id of ["", "nobody", written({}), written([1, 2, 3]), "a".repeat(5_000)]) {
    assert.equal(planIn(id), undefined);
  }
  const odd = planIn(written(["x", null, 7, {}, [99, "y"], {}]));
  assert.ok(odd !== undefined);
  assert.equal(jobAt(odd, "id", plan.begunAt).state, "done");
});

test("facts that do not belong into an address are refused", () => {
  assert.throws(() => idOf({ ...plan, facts: { text: "x".repeat(3_000) } }), /too long/);
});

test("a job waits, works and is done; it fails or goes on as ordered", () => {
  const stateAt = (passed: number, end: JobPlan["orders"]["end"] = "done"): string =>
    jobAt({ ...plan, orders: { ...plan.orders, end } }, "id", plan.begunAt + passed).state;
  assert.deepEqual(
    [0, 249, 250, 999, 1_000, 9_999].map((passed) => stateAt(passed)),
    ["waiting", "waiting", "working", "working", "done", "done"],
  );
  assert.equal(stateAt(1_000, "fail"), "failed");
  assert.equal(stateAt(1_000, "refused"), "refused");
  assert.equal(stateAt(1e12, "never"), "working");
});

test("a cancelled job stays as it was; one that is over cannot be cancelled", () => {
  const desk = jobDesk();
  const id = idOf(plan);
  assert.equal(desk.cancel(id, plan.begunAt + 500)?.state, "cancelled");
  const later = desk.known(id, plan.begunAt + 5_000);
  assert.deepEqual([later?.state, later?.progress], ["cancelled", 0.5]);
  const other = idOf({ ...plan, serial: 2 });
  assert.equal(desk.cancel(other, plan.begunAt + 1_000)?.state, "done");
  assert.equal(desk.cancel("nobody", 0), undefined);
});

test("polls are counted where an order needs it, and asking otherwise is not a poll", () => {
  const desk = jobDesk();
  const id = idOf({ ...plan, orders: { ...plan.orders, unknownPolls: 2, pollStatus: 503 } });
  assert.equal(desk.known(id, plan.begunAt)?.state, "waiting");
  assert.equal(desk.polled(id, plan.begunAt), undefined);
  assert.equal(desk.polled(id, plan.begunAt), undefined);
  assert.throws(() => desk.polled(id, plan.begunAt), { status: 503 });
  assert.equal(desk.polled(id, plan.begunAt)?.state, "waiting");
});
