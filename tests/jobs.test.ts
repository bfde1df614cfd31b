/**
 * Cases K-04 to K-07 of the test plan: jobs through crashes, broken connections and several hands. The plan has more of
 * each; here are as many as a minute allows, on each home.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { jobCatalog, startFakeJobs, unitCost } from "./support/fake-jobs.ts";
import type { FakeJobs, Orders } from "./support/fake-jobs.ts";
import { eventually } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import type { Customer, Gateway } from "./support/gateway.ts";
import { quietAudit, trailOf } from "./support/money-trail.ts";
import { startPostgres } from "./support/postgres.ts";
import { homes, stopPostgres } from "./support/restarts.ts";
import type { Home } from "./support/restarts.ts";

type Scene = {
  readonly jobs: FakeJobs;
  readonly start: () => Promise<Gateway>;
};

async function scene(t: TestContext, home: Home): Promise<Scene | undefined> {
  const postgres = home === "PostgreSQL" ? await startPostgres() : undefined;
  if (postgres !== undefined && "skipped" in postgres) {
    t.skip(postgres.skipped);
    return undefined;
  }
  const databaseUrl = await postgres?.freshDatabase();
  const jobs = await startFakeJobs();
  const started: Gateway[] = [];
  t.after(async () => {
    for (const gateway of started) gateway.process.kill("SIGKILL");
    await jobs.stop();
    for (const { directory } of started) rmSync(directory, { recursive: true, force: true });
  });
  return {
    jobs,
    async start() {
      const [first] = started;
      const gateway = await startGateway({
        databaseUrl,
        moreFiles: jobCatalog,
        environment: { R1_API_KEY: "secret-r1", R1_BASE_URL: jobs.url },
        ...(first === undefined ? {} : { directory: first.directory }),
      });
      started.push(gateway);
      return gateway;
    },
  };
}

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = { readonly status: number; readonly body: any };

async function run(gateway: Gateway, { key }: Customer, body: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

async function begin(gateway: Gateway, customer: Customer, orders: Orders): Promise<string> {
  const { status, body } = await run(gateway, customer, { model: "m-job", inputs: { orders }, async: true });
  assert.equal(status, 202, JSON.stringify(body));
  return body.job_id;
}

/** The job as it ended. Until then its status never goes back. */
async function ended(gateway: Gateway, { key }: Customer, id: string): Promise<Answer["body"]> {
  const order = ["queued", "running", "completed"];
  let furthest = 0;
  for (let tries = 0; tries < 600; tries += 1) {
    const { status, body } = await gateway.get(key, `/v1/job/${id}`);
    assert.equal(status, 200, JSON.stringify(body));
    if (body.status === "failed" || body.status === "completed" || body.status === "canceled") return body;
    assert.ok(order.indexOf(body.status) >= furthest, `${body.status} after ${order[furthest]}`);
    furthest = order.indexOf(body.status);
    await wait(50);
  }
  throw new Error(`${id} does not end`);
}

/** The provider has it, and that is written down. */
async function running(gateway: Gateway, { key }: Customer, id: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { body } = await gateway.get(key, `/v1/job/${id}`);
    if (body.status !== "queued") return;
    await wait(10);
  }
  throw new Error(`${id} does not begin`);
}

suite("jobs", { concurrency: 2 }, () => {
  for (const home of homes) {
    test(`K-04 on ${home}: jobs go on after a kill -9 and a restart, submitted once and charged once`, async (t) => {
      const place = await scene(t, home);
      if (place !== undefined) await jobsGoOn(place);
    });
    test(`K-05 on ${home}: what may have reached the provider is never sent again, nor charged`, async (t) => {
      const place = await scene(t, home);
      if (place !== undefined) await nothingIsSentTwice(place);
    });
    test(`K-07 on ${home}: no answer, a missing or a broken one, is no verdict`, async (t) => {
      const place = await scene(t, home);
      if (place !== undefined) await silenceIsNoVerdict(place);
    });
  }
  test("K-04 killed again and again, in whatever state its jobs are, each is over once", async (t) => {
    const place = await scene(t, "the embedded database");
    if (place !== undefined) await killedAgainAndAgain(place);
  });
  test("K-06 of two nodes, a cancel and the provider's own end, one decides", async (t) => {
    const place = await scene(t, "PostgreSQL");
    if (place !== undefined) await oneDecides(place);
  });
});
after(stopPostgres);

async function jobsGoOn({ jobs, start }: Scene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  const ids = await Promise.all(Array.from({ length: 12 }, () => begin(gateway, customer, { ms: 1_500 })));
  for (const id of ids) await running(gateway, customer, id);
  await gateway.kill9();
  const again = await start();
  for (const id of ids) {
    const job = await ended(again, customer, id);
    assert.equal(job.status, "completed", JSON.stringify(job));
    const file = await fetch(job.result.document.replace(/^http:\/\/[^/]+/, again.url));
    assert.match(await file.text(), /^file of job \d+$/);
  }
  assert.equal(jobs.submissions.length, ids.length);
  await quietAudit(again);
  const { calls } = await trailOf(again, customer.accountId);
  assert.deepEqual(
    [...calls.values()].map(({ kinds, charged }) => [kinds, charged]),
    ids.map(() => [["hold", "settle"], 3n * unitCost]),
  );
}

async function nothingIsSentTwice({ jobs, start }: Scene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  const before = (await trailOf(gateway, customer.accountId)).available;
  for (const model of ["m-run", "m-mail", "m-job"]) {
    const answer = await run(gateway, customer, { model, inputs: { orders: { breaks: true } } });
    assert.deepEqual([answer.status, answer.body.error.code], [502, "outcome_unknown"], model);
  }
  assert.equal(jobs.submissions.length, 3);
  // The process dies while the provider has it.
  const slow = run(gateway, customer, { model: "m-mail", inputs: {} }).catch(() => undefined);
  await eventually(() => jobs.submissions.length >= 4, 20_000);
  await gateway.kill9();
  await slow;
  const again = await start();
  await quietAudit(again);
  assert.equal(jobs.submissions.length, 4);
  const listed = await again.get(customer.key, "/v1/job");
  const [last] = listed.body.jobs;
  assert.ok(["failed", "completed"].includes(last.status), last.status);
  if (last.status === "failed") assert.equal(last.error_code, "outcome_unknown");
  const { available } = await trailOf(again, customer.accountId);
  assert.ok(available === before || (last.status === "completed" && available === before - unitCost));
}

async function silenceIsNoVerdict({ jobs, start }: Scene): Promise<void> {
  const gateway = await start();
  const customer = await gateway.customer();
  const ids = await Promise.all([
    begin(gateway, customer, { ms: 300, unknown: 2 }),
    begin(gateway, customer, { ms: 300, broken: 2 }),
    begin(gateway, customer, { ms: 900, flickers: true }),
  ]);
  const waited = await run(gateway, customer, { model: "m-job", inputs: { orders: { ms: 1_200 } } });
  assert.equal(waited.status, 200);
  for (const id of ids) assert.equal((await ended(gateway, customer, id)).status, "completed");
  const failing = await ended(gateway, customer, await begin(gateway, customer, { ms: 200, fails: true }));
  assert.deepEqual([failing.status, failing.error_code], ["failed", "run_failed"]);
  assert.equal(jobs.submissions.length, 5);
  await quietAudit(gateway);
  const charges = [...(await trailOf(gateway, customer.accountId)).calls.values()].map(
    ({ charged }) => charged,
  );
  const whole = charges.filter((charged) => charged === 3n * unitCost);
  assert.deepEqual([whole.length, charges.length, charges.includes(0n)], [4, 5, true]);
}

async function killedAgainAndAgain({ jobs, start }: Scene): Promise<void> {
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
  const jobsAtEnd = await Promise.all(all.map(({ job_id: id }) => ended(gateway, customer, id)));
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

async function oneDecides({ jobs, start }: Scene): Promise<void> {
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
  let completed = 0;
  for (const id of ids) {
    const [here, there] = [await ended(one, customer, id), await ended(other, customer, id)];
    assert.equal(here.status, there.status);
    assert.ok(["completed", "canceled"].includes(here.status), here.status);
    if (here.status === "completed") completed += 1;
  }
  assert.equal(jobs.submissions.length, ids.length);
  await quietAudit(one);
  const trail = await trailOf(one, customer.accountId);
  for (const { kinds } of trail.calls.values()) assert.equal(kinds.length, 2, kinds.join());
  assert.equal(before - trail.available, BigInt(completed) * 3n * unitCost);
}

test("a test-mode job goes on after a restart as well, although the sandbox has another address then", async (t) => {
  const place = await scene(t, "the embedded database");
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
