/**
 * Cases K-04 and K-07 of the test plan: jobs through crashes and long silence, on each home. K-05 and K-06 are in
 * `jobs-once.test.ts`.
 */
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { unitCost } from "./support/fake-jobs.ts";
import { eventually } from "./support/fake-upstream.ts";
import { allEnded, asked, begin, ended, jobScene, run, running } from "./support/job-scene.ts";
import type { JobScene, Told } from "./support/job-scene.ts";
import type { Customer } from "./support/gateway-api.ts";
import type { Gateway } from "./support/gateway.ts";
import { quietAudit, trailOf } from "./support/money-trail.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { homes, stopPostgres } from "./support/restarts.ts";

suite("jobs", { concurrency: 2 }, () => {
  for (const home of homes) {
    test(`K-04 on ${home}: jobs go on after a kill -9 and a restart, submitted once and charged once`, async (t) => {
      const place = await jobScene(t, home);
      if (place !== undefined) await jobsGoOn(place);
    });
    test(`K-07 on ${home}: no answer, a missing or a broken one, is no verdict`, async (t) => {
      const place = await jobScene(t, home);
      if (place !== undefined) await silenceIsNoVerdict(place);
    });
  }
  test("K-07 what a client leaves out is billed as it was sent to the provider", async (t) => {
    const place = await jobScene(t, "the embedded database");
    if (place !== undefined) await omittedIsBilledAsSent(place);
  });
  test("K-04 killed again and again, in whatever state its jobs are, each is over once", async (t) => {
    const place = await jobScene(t, "the embedded database");
    if (place !== undefined) await killedAgainAndAgain(place);
  });
});
after(stopPostgres);

/** They end after the kill, also where a dozen questions before it take seconds: a message that is cut off in a try waits a minute. */
const jobMs = planned({ whole: 10_000, quick: 5_000 });
const killAfterMs = planned({ whole: 5_000, quick: 0 });

async function jobsGoOn({ jobs, receiver, start }: JobScene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  const webhook = `${receiver.origin}/hook`;
  const told: Told = new Map();
  const begunAt = performance.now();
  const ids = await Promise.all(
    Array.from({ length: planned({ whole: 50, quick: 12 }) }, () =>
      begin(gateway, customer, { ms: jobMs, webhook }),
    ),
  );
  for (const id of ids) await running(gateway, customer, id);
  await wait(Math.max(0, begunAt + killAfterMs - performance.now()));
  for (const id of ids) await asked(gateway, customer, { id, told });
  await gateway.kill9();
  const again = await start();
  for (const job of await allEnded(again, customer, { ids, told })) {
    assert.equal(job.status, "completed", JSON.stringify(job));
    const file = await fetch(job.result.document.replace(/^http:\/\/[^/]+/, again.url));
    assert.match(await file.text(), /^file of job \d+$/);
  }
  for (const id of ids) assert.equal((await asked(again, customer, { id, told })).status, "completed");
  assert.equal(jobs.submissions.length, ids.length);
  await quietAudit(again);
  const { calls } = await trailOf(again, customer.accountId);
  assert.deepEqual(
    [...calls.values()].map(({ kinds, charged }) => [kinds, charged]),
    ids.map(() => [["hold", "settle"], 3n * unitCost]),
  );
  const messagesOf = (id: string) =>
    receiver.visits.filter(({ body }) => JSON.parse(body).data.job_id === id);
  await eventually(() => ids.every((id) => messagesOf(id).length > 0), 10_000);
  for (const id of ids)
    assert.equal(new Set(messagesOf(id).map(({ headers }) => headers["webhook-id"])).size, 1, id);
}

async function silenceIsNoVerdict({ jobs, start }: JobScene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  const brokenMs = planned({ whole: 30_000, quick: 1_500 });
  const ids = await Promise.all([
    begin(gateway, customer, { ms: 300, unknown: 2 }),
    begin(gateway, customer, { ms: 300, brokenMs }),
    begin(gateway, customer, { ms: 900, flickers: true }),
  ]);
  const inputs = { orders: { ms: 1_200 } };
  const waited = await run(gateway, customer, { model: "m-job", inputs });
  assert.equal(waited.status, 200);
  ids.push(await leftWaiting(gateway, customer));
  if (isWholePlan) {
    await wait(brokenMs / 2);
    await assertStillHeld(gateway, customer, ids[1] ?? "");
  }
  for (const job of await allEnded(gateway, customer, { ids })) assert.equal(job.status, "completed");
  const failing = await ended(gateway, customer, await begin(gateway, customer, { ms: 200, fails: true }));
  assert.deepEqual([failing.status, failing.error_code], ["failed", "run_failed"]);
  assert.equal(jobs.submissions.length, 6);
  await quietAudit(gateway);
  const charges = [...(await trailOf(gateway, customer.accountId)).calls.values()].map(
    ({ charged }) => charged,
  );
  const whole = charges.filter((charged) => charged === 3n * unitCost);
  assert.deepEqual([whole.length, charges.length, charges.includes(0n)], [5, 6, true]);
}

/** A job that takes longer than its client waits: it is pending, and nothing of what is held for it is given back. */
async function leftWaiting(gateway: Gateway, customer: Customer): Promise<string> {
  const headers = { prefer: "wait=1" };
  const inputs = { orders: { ms: 2_500 } };
  const { status, body } = await run(gateway, customer, { model: "m-job", inputs, headers });
  assert.deepEqual([status, body.status], [202, "accepted"], JSON.stringify(body));
  await assertStillHeld(gateway, customer, body.job_id);
  return body.job_id;
}

async function assertStillHeld(gateway: Gateway, customer: Customer, id: string): Promise<void> {
  const { calls } = await trailOf(gateway, customer.accountId);
  assert.deepEqual(calls.get(id.replace("run_", "call_"))?.kinds, ["hold"]);
}

async function omittedIsBilledAsSent({ jobs, start }: JobScene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  for (const [inputs, length] of [
    [{}, 6],
    [{ length: 9 }, 9],
  ] as const) {
    const { status, body } = await run(gateway, customer, { model: "m-film", inputs });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(jobs.submissions.at(-1)?.length, length);
    const { calls } = await trailOf(gateway, customer.accountId);
    const { kinds, charged } = calls.get(body.id.replace("run_", "call_")) ?? {};
    assert.deepEqual([kinds, charged], [["hold", "settle"], BigInt(length) * unitCost]);
  }
  await quietAudit(gateway);
}

async function killedAgainAndAgain({ jobs, start }: JobScene): Promise<void> {
  let gateway = await start();
  const customer = await gateway.customer();
  const ids: string[] = [];
  for (let cycle = 0; cycle < 5; cycle += 1) {
    const count = 4;
    const begun = Array.from({ length: count }, (_, index) =>
      begin(gateway, customer, { ms: index * 150 }).then(
        (id) => ids.push(id),
        () => undefined,
      ),
    );
    await wait(30 + cycle * 75);
    // The last of them have all reached the provider, however slow the machine is.
    if (cycle === 4) {
      await Promise.all(begun);
      for (const id of ids) await running(gateway, customer, id);
    }
    await gateway.kill9();
    await Promise.all(begun);
    gateway = await start();
  }
  const all = (await gateway.get(customer.key, "/v1/job?limit=200")).body.jobs as { job_id: string }[];
  assert.ok(
    ids.every((id) => all.some((job) => job.job_id === id)),
    "a job that was told is there",
  );
  const jobsAtEnd = await allEnded(gateway, customer, { ids: all.map(({ job_id: id }) => id) });
  const completed = jobsAtEnd.filter((job) => job.status === "completed").length;
  assert.ok(completed > 0);
  for (const job of jobsAtEnd)
    if (job.status !== "completed") assert.equal(job.error_code, "outcome_unknown", JSON.stringify(job));
  const runs = jobs.submissions.map(({ run: id }) => id);
  assert.equal(new Set(runs).size, runs.length, "each was submitted once");
  await quietAudit(gateway);
  const { calls } = await trailOf(gateway, customer.accountId);
  const charged = [...calls.values()].map((call) => call.charged).reduce((sum, one) => sum + one, 0n);
  assert.equal(charged, BigInt(completed) * 3n * unitCost);
}

test("a test-mode job goes on after a restart as well, although the sandbox has another address then", async (t) => {
  const place = await jobScene(t, "the embedded database");
  if (place === undefined) return;
  const gateway = await place.start();
  const customer = await gateway.customer({ mode: "test" });
  const inputs = { prompt: "A fox [sandbox:job-ms-3000]" };
  const begun = await run(gateway, customer, { model: "flux-1.1-pro", inputs, async: true });
  await running(gateway, customer, begun.body.job_id);
  await gateway.kill9();
  const again = await place.start();
  assert.equal((await ended(again, customer, begun.body.job_id)).status, "completed");
});
