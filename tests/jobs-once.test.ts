/**
 * Cases K-05 and K-06 of the test plan: what may have reached a provider is not sent again, and of several hands at one
 * job one decides.
 */
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { parseCredits } from "../src/core/credits.ts";
import { unitCost } from "./support/fake-jobs.ts";
import type { FakeJobs, Orders } from "./support/fake-jobs.ts";
import { eventually } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import type { Gateway } from "./support/gateway.ts";
import { allEnded, begin, jobScene, run } from "./support/job-scene.ts";
import type { JobAnswer, JobScene } from "./support/job-scene.ts";
import { quietAudit, trailOf } from "./support/money-trail.ts";
import type { Trail } from "./support/money-trail.ts";
import { planned } from "./support/plan-scale.ts";
import { homes, stopPostgres } from "./support/restarts.ts";

suite("jobs, once", { concurrency: 2 }, () => {
  for (const home of homes)
    test(`K-05 on ${home}: what may have reached the provider is never sent again, nor charged`, async (t) => {
      const place = await jobScene(t, home);
      if (place !== undefined) await nothingIsSentTwice(place);
    });
  test("K-06 of two nodes, a cancel and the provider's own end, one decides", async (t) => {
    const place = await jobScene(t, "PostgreSQL");
    if (place !== undefined) await oneDecides(place);
  });
  test("D-01 runs whose provider is done while the database is away end as they did, and are charged", async (t) => {
    const place = await jobScene(t, "PostgreSQL");
    if (place !== undefined) await nothingIsLostMeanwhile(place);
  });
});
after(stopPostgres);

/** Jobs, and as many runs that are waited for. */
const eachKind = planned({ whole: 100, quick: 10 });
/** Of ten, three break after the provider took them, and one is answered after the process was killed. */
const ordersOf = (index: number): Orders =>
  index % 10 < 3 ? { breaks: true } : { ms: 300, ...(index % 10 === 3 ? { holds: true } : {}) };

async function nothingIsSentTwice({ jobs, start }: JobScene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  await sentAgainUnderItsKey(gateway, customer, jobs);
  const before = jobs.submissions.length;
  const indexes = Array.from({ length: eachKind }, (_, index) => index);
  const ids = Promise.all(indexes.map((index) => begin(gateway, customer, ordersOf(index))));
  const asked = indexes.map((index) => {
    const model = index % 2 === 0 ? "m-mail" : "m-pay";
    return run(gateway, customer, { model, inputs: { orders: ordersOf(index) } });
  });
  const heldOnes = asked.filter((_, index) => ordersOf(index).holds === true);
  const heldAreOver = Promise.allSettled(heldOnes);
  for (const [index, answer] of asked.entries()) {
    if (ordersOf(index).holds === true) continue;
    const { status, body } = await answer;
    if (ordersOf(index).breaks === true)
      assert.deepEqual([status, body.error?.code], [502, "outcome_unknown"]);
    else assert.equal(status, 200, JSON.stringify(body));
  }
  await ids;
  await eventually(() => jobs.submissions.length - before >= 2 * eachKind, 20_000);
  await gateway.kill9();
  jobs.answerHeld();
  await heldAreOver;

  const again = await start();
  await quietAudit(again);
  const listed = (await again.get(customer.key, "/v1/job?limit=200")).body.jobs as JobAnswer["body"][];
  const mine = listed.slice(0, 2 * eachKind).map(({ job_id: id }) => String(id));
  const { calls } = await trailOf(again, customer.accountId);
  let unknown = 0;
  for (const job of await allEnded(again, customer, { ids: mine })) {
    const charged = calls.get(job.job_id.replace("run_", "call_"))?.charged;
    const cost = job.model === "m-job" ? 3n * unitCost : unitCost;
    if (job.status === "failed") unknown += 1;
    assert.deepEqual(
      [job.status, job.error_code, charged],
      job.status === "failed" ? ["failed", "outcome_unknown", 0n] : ["completed", undefined, cost],
    );
  }
  assert.equal(unknown, 2 * indexes.filter((index) => index % 10 < 4).length);
  const runs = jobs.submissions.slice(before).map(({ run: id }) => id);
  assert.deepEqual([runs.length, new Set(runs).size], [2 * eachKind, 2 * eachKind], "each was sent once");
}

/** What the provider does once however often it is asked is asked again, with the key it was asked with. */
async function sentAgainUnderItsKey(gateway: Gateway, customer: Customer, jobs: FakeJobs): Promise<void> {
  const inputs = { orders: { breaks: "once" } };
  const { status, body } = await run(gateway, customer, { model: "m-sure", inputs });
  assert.equal(status, 200, JSON.stringify(body));
  const keys = jobs.submissions.map(({ headers }) => headers["idempotency-key"]);
  assert.deepEqual(keys, [body.id, body.id]);
  const { calls } = await trailOf(gateway, customer.accountId);
  assert.deepEqual(
    [...calls.values()].map(({ charged }) => charged),
    [unitCost],
  );
}

async function oneDecides(place: JobScene): Promise<void> {
  const { jobs, start } = place;
  const [one, other] = [await start(), await start()];
  const customer = await one.customer();
  const before = (await trailOf(one, customer.accountId)).available;
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      begin(index % 2 === 0 ? one : other, customer, { ms: 400, flickers: true }),
    ),
  );
  await eventually(() => jobs.submissions.length >= ids.length, 20_000);
  await wait(330);
  const headers = { authorization: `Bearer ${customer.key}` };
  await Promise.all(
    ids.flatMap((id) =>
      [one, other].map((gateway) => fetch(`${gateway.url}/v1/run/${id}/cancel`, { method: "POST", headers })),
    ),
  );
  const ends = await endsOnBoth({ one, other, customer, ids });
  assert.deepEqual(
    ends.filter((status) => status !== "completed" && status !== "canceled"),
    [],
  );
  const completed = ends.filter((status) => status === "completed").length;
  assert.equal(jobs.submissions.length, ids.length);
  await quietAudit(one);
  const trail = await trailOf(one, customer.accountId);
  for (const { kinds } of trail.calls.values()) assert.equal(kinds.length, 2, kinds.join());
  assert.equal(before - trail.available, BigInt(completed) * 3n * unitCost);
  await pollsOfTwoNodes(jobs, { one, other, customer: await one.customer({ credits: "5000.00" }) });
}

type Nodes = { readonly one: Gateway; readonly other: Gateway; readonly customer: Customer };

/** How each ended, which both nodes tell alike. */
async function endsOnBoth({ one, other, customer, ids }: Nodes & { readonly ids: readonly string[] }) {
  const here = await allEnded(one, customer, { ids });
  const there = await allEnded(other, customer, { ids });
  const ends = here.map(({ status }) => String(status));
  assert.deepEqual(
    there.map(({ status }) => status),
    ends,
  );
  return ends;
}

/**
 * Which node asks is decided by a claim, not by a sweep. So the provider brings both of them to ask at once: every 50 ms
 * it tells both of them news of the next few jobs.
 */
async function pollsOfTwoNodes(jobs: FakeJobs, { one, other, customer }: Nodes): Promise<void> {
  const before = jobs.submissions.length;
  const count = planned({ whole: 500, quick: 20 });
  const orders = { model: "m-told", ms: 500, wavers: true };
  const ids = await Promise.all(
    Array.from({ length: count }, (_, index) => begin(index % 2 === 0 ? one : other, customer, orders)),
  );
  await eventually(() => jobs.submissions.length - before >= count, 20_000);
  const paths = jobs.submissions.slice(before).map(({ tell = "" }) => new URL(tell).pathname);
  let sweeps = 0;
  const telling: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    for (let few = 0; few < 5; few += 1, sweeps += 1)
      for (const { url } of [one, other])
        telling.push(fetch(`${url}${paths[sweeps % count]}`, { method: "POST", body: "{}" }));
  }, 50);
  const ends = await endsOnBoth({ one, other, customer, ids }).finally(() => clearInterval(timer));
  await Promise.all(telling);
  assert.equal(jobs.submissions.length - before, count);
  await quietAudit(one);
  const trail = await trailOf(one, customer.accountId);
  const failed = ids.filter((_, index) => ends[index] === "failed");
  for (const [index, id] of ids.entries()) {
    const { kinds, charged } = trail.calls.get(id.replace("run_", "call_")) ?? {};
    const end = ends[index] === "completed" ? ["settle", 3n * unitCost] : ["release", 0n];
    assert.deepEqual([...(kinds ?? []), charged], ["hold", ...end], `${id} ${ends[index]}`);
  }
  assert.ok(failed.length > 0 && failed.length < count, `${failed.length} failed`);
  assert.equal(refunded(trail), BigInt(failed.length) * 5n * unitCost);
}

/** What releases gave back. */
function refunded({ lines }: Trail): bigint {
  const given = lines.filter(({ kind, book }) => kind === "release" && book === "available");
  return given.reduce((sum, { amount }) => sum + (parseCredits(amount) ?? 0n), 0n);
}

async function nothingIsLostMeanwhile({ jobs, start, databaseUrl }: JobScene): Promise<void> {
  assert.ok(databaseUrl !== undefined);
  const gateway = await start();
  const customer = await gateway.customer();
  const pay = (): Promise<JobAnswer> =>
    run(gateway, customer, { model: "m-pay", inputs: { orders: { holds: true } } });
  const told = (id: string, what: string): boolean =>
    gateway
      .log()
      .split("\n")
      .some((line) => line.includes(id) && line.includes(what));
  const [job, paid] = [begin(gateway, customer, { holds: true, ms: 0 }), pay()];
  await eventually(() => jobs.submissions.length === 2, 20_000);
  const short = await shut(databaseUrl);
  jobs.answerHeld();
  await eventually(
    () => jobs.submissions.every(({ run: id }) => told(id, "a run waits for the database")),
    20_000,
  );
  await short.end();
  const [ended] = await allEnded(gateway, customer, { ids: [await job] });
  assert.equal(ended.status, "completed", JSON.stringify(ended));

  const late = pay();
  await eventually(() => jobs.submissions.length === 3, 20_000);
  const long = await shut(databaseUrl);
  await long.client.query("update runs set lease_until = clock_timestamp() - interval '1 minute'");
  await eventually(() => told("", "abandoned runs could not be looked for"), 20_000);
  await long.end();
  const overdue = "select from runs where state <> 'over' and lease_until < clock_timestamp()";
  const inside = new pg.Client({ connectionString: databaseUrl });
  await inside.connect();
  while ((await inside.query(overdue)).rowCount !== 0) await wait(20);
  await inside.end();
  jobs.answerHeld();
  for (const { status, body } of [await paid, await late]) assert.equal(status, 200, JSON.stringify(body));
  const { calls } = await trailOf(gateway, customer.accountId);
  const charged = [...calls.values()].map((call) => call.charged);
  assert.deepEqual([charged.length, charged.reduce((sum, one) => sum + one, 0n)], [3, 5n * unitCost]);
  assert.equal(jobs.submissions.length, 3);
}

type Shut = { readonly client: pg.Client; readonly end: () => Promise<void> };

/** Ends all sessions of the database but one of ours, and lets nobody in until it is opened again. */
async function shut(databaseUrl: string): Promise<Shut> {
  const at = new URL(databaseUrl);
  const name = at.pathname.slice(1);
  at.pathname = "/postgres";
  const [outside, client] = [at.href, databaseUrl].map((url) => new pg.Client({ connectionString: url }));
  assert.ok(outside !== undefined && client !== undefined);
  await Promise.all([outside.connect(), client.connect()]);
  await outside.query(`alter database ${name} with allow_connections false`);
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
    [name],
  );
  const end = async (): Promise<void> => {
    await outside.query(`alter database ${name} with allow_connections true`);
    await Promise.all([outside.end(), client.end()]);
  };
  return { client, end };
}
