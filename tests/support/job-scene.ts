import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startSite } from "./egress-sites.ts";
import type { Site } from "./egress-sites.ts";
import { jobCatalog, startFakeJobs } from "./fake-jobs.ts";
import type { FakeJobs, Orders } from "./fake-jobs.ts";
import type { Customer } from "./gateway-api.ts";
import { startGatewayProcess } from "./gateway-process.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Gateway } from "./gateway.ts";
import { planned } from "./plan-scale.ts";
import { startPostgres } from "./postgres.ts";
import type { Home } from "./restarts.ts";

/** A provider of jobs, a customer's server, and gateways that share a home: one after the other, or beside each other. */
export type JobScene = {
  readonly jobs: FakeJobs;
  readonly receiver: Site;
  readonly start: () => Promise<GatewayProcess>;
  /** Of what they share, on PostgreSQL. */
  readonly databaseUrl: string | undefined;
};

export async function jobScene(t: TestContext, home: Home): Promise<JobScene | undefined> {
  const postgres = home === "PostgreSQL" ? await startPostgres() : undefined;
  if (postgres !== undefined && "skipped" in postgres) {
    t.skip(postgres.skipped);
    return undefined;
  }
  const databaseUrl = await postgres?.freshDatabase();
  const jobs = await startFakeJobs();
  const receiver = await startSite((_, response) => void response.writeHead(204).end());
  const started: GatewayProcess[] = [];
  t.after(async () => {
    for (const gateway of started) gateway.process.kill("SIGKILL");
    await Promise.all([jobs.stop(), receiver.stop()]);
    for (const { directory } of started) rmSync(directory, { recursive: true, force: true });
  });
  return {
    jobs,
    receiver,
    databaseUrl,
    async start() {
      const [first] = started;
      const gateway = await startGatewayProcess({
        databaseUrl,
        moreFiles: jobCatalog,
        environment: {
          R1_API_KEY: "secret-r1",
          R1_BASE_URL: jobs.url,
          SKILLBOSS_EGRESS_ALLOW: `127.0.0.1:${receiver.port}`,
          SKILLBOSS_PUBLIC_URL: "http://gateway.test",
          SKILLBOSS_WEBHOOK_BACKOFF_MS: "200",
        },
        ...(first === undefined ? {} : { directory: first.directory }),
      });
      started.push(gateway);
      return gateway;
    },
  };
}

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
export type JobAnswer = { readonly status: number; readonly body: any };

type Body = { readonly headers?: Readonly<Record<string, string>>; readonly [member: string]: unknown };

export async function run(
  gateway: Gateway,
  { key }: Customer,
  { headers = {}, ...body }: Body,
): Promise<JobAnswer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

type Begin = Orders & { readonly model?: string; readonly webhook?: string };

export async function begin(gateway: Gateway, customer: Customer, wish: Begin): Promise<string> {
  const { model = "m-job", webhook, ...orders } = wish;
  const { status, body } = await run(gateway, customer, { model, inputs: { orders }, webhook, async: true });
  assert.equal(status, 202, JSON.stringify(body));
  return body.job_id;
}

/** How far each job was told to be. */
export type Told = Map<string, number>;

const stages = ["queued", "running", "over"];
const endsWithinMs = planned({ whole: 60_000, quick: 30_000 });

/** Asks once. What is told never goes back, and what is over stays as it ended. */
export async function asked(
  gateway: Gateway,
  { key }: Customer,
  { id, told }: { readonly id: string; readonly told: Told },
): Promise<JobAnswer["body"]> {
  const { status, body } = await gateway.get(key, `/v1/job/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  const stage = stages.includes(body.status) ? stages.indexOf(body.status) : stages.length - 1;
  const before = told.get(id) ?? 0;
  assert.ok(stage >= before, `${id} is ${body.status} after it was ${stages[before]}`);
  told.set(id, stage);
  return body;
}

/** The jobs as they ended, asked about all along. */
export async function allEnded(
  gateway: Gateway,
  customer: Customer,
  { ids, told = new Map() }: { readonly ids: readonly string[]; readonly told?: Told },
): Promise<readonly JobAnswer["body"][]> {
  const giveUpAt = performance.now() + endsWithinMs;
  const over = new Map<string, JobAnswer["body"]>();
  for (;;) {
    const left = ids.filter((id) => !over.has(id));
    if (left.length === 0) return ids.map((id) => over.get(id));
    assert.ok(performance.now() < giveUpAt, `${left.length} jobs do not end: ${left[0]}`);
    for (const some of chunksOf(left, 25))
      await Promise.all(
        some.map(async (id) => {
          const body = await asked(gateway, customer, { id, told });
          if (told.get(id) === stages.length - 1) over.set(id, body);
        }),
      );
    await wait(50);
  }
}

function chunksOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}

export async function ended(gateway: Gateway, customer: Customer, id: string): Promise<JobAnswer["body"]> {
  const [job] = await allEnded(gateway, customer, { ids: [id] });
  return job;
}

/** The provider has it, and that is written down. */
export async function running(gateway: Gateway, { key }: Customer, id: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { body } = await gateway.get(key, `/v1/job/${id}`);
    if (body.status !== "queued") return;
    await wait(10);
  }
  throw new Error(`${id} does not begin`);
}
