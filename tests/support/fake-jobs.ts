import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/**
 * A provider of runs with a truth log of its own: jobs that take a while (`/jobs`), things done at once (`/once`), and
 * files. What a job does is in its inputs.
 */
export type Orders = {
  /** How long the work takes. */
  readonly ms?: number;
  /** The job fails in the end. */
  readonly fails?: boolean;
  /** It is taken, and the connection breaks before the answer; `once`: only the first of several for one run. */
  readonly breaks?: boolean | "once";
  /** It is taken, and answered when the test says. */
  readonly holds?: boolean;
  /** So many polls answer 404 before the truth. */
  readonly unknown?: number;
  /** For so long polls are answered 500. */
  readonly brokenMs?: number;
  /** States alternate until it is done: nothing can be told from one of them. */
  readonly flickers?: boolean;
  /** Once it took its time, one poll is told that it runs, the next that it failed, and the next that it is done. */
  readonly wavers?: boolean;
};

export type Submission = {
  readonly run: string;
  readonly orders: Orders;
  readonly at: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it is to call when there is news. */
  readonly tell?: string;
  /** How much is wanted, where the model has that. */
  readonly length?: number;
};

export type FakeJobs = {
  readonly url: string;
  readonly submissions: readonly Submission[];
  readonly files: number;
  readonly polls: number;
  /** All that was held until now is answered. */
  answerHeld(): void;
  /** Closes every connection on which nothing is asked. */
  closeIdle(): void;
  stop(): Promise<void>;
};

export async function startFakeJobs(): Promise<FakeJobs> {
  const submissions: Submission[] = [];
  const pollsOf = new Map<number, number>();
  let files = 0;
  let polls = 0;
  let held: (() => void)[] = [];
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    if (request.method === "POST") return take(request, response);
    const file = /^\/files\/(\d+)$/.exec(path);
    if (file !== null) {
      files += 1;
      response.writeHead(200, { "content-type": "text/plain" }).end(`file of job ${file[1]}`);
      return;
    }
    const id = Number(/^\/jobs\/(\d+)$/.exec(path)?.[1] ?? -1);
    poll(id, response);
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
    const asked = JSON.parse(Buffer.concat(parts).toString("utf8")) as Omit<Submission, "at" | "headers">;
    const { run, orders } = asked;
    const isFirst = submissions.every((submission) => submission.run !== run);
    submissions.push({ ...asked, at: performance.now(), headers: request.headers });
    const id = submissions.length - 1;
    const answered = () =>
      request.url === "/once" ? json(response, 200, { id, done: true }) : json(response, 201, { id });
    if (orders.breaks === true || (orders.breaks === "once" && isFirst)) response.destroy();
    else if (orders.holds === true) held.push(answered);
    else answered();
  }

  function poll(id: number, response: ServerResponse): void {
    polls += 1;
    const submission = submissions[id];
    if (submission === undefined) return json(response, 404, { error: "no such job" });
    const asked = (pollsOf.get(id) ?? 0) + 1;
    pollsOf.set(id, asked);
    const [status, body] = standingOf(submission, { asked, polls }, `${url}/files/${id}`);
    json(response, status, body);
  }

  return {
    url,
    submissions,
    get files() {
      return files;
    },
    get polls() {
      return polls;
    },
    answerHeld() {
      for (const answer of held) answer();
      held = [];
    },
    closeIdle: () => server.closeIdleConnections(),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Poll = { readonly asked: number; readonly polls: number };

/** What a poll is told: of its job the first one has `asked` 1, of all jobs `polls` 1. */
function standingOf(
  { orders, at }: Submission,
  { asked, polls }: Poll,
  file: string,
): readonly [number, object] {
  if (asked <= (orders.unknown ?? 0)) return [404, { error: "no such job" }];
  const age = performance.now() - at;
  if (age < (orders.brokenMs ?? 0)) return [500, { error: "we are sorry" }];
  const running = { state: "running", progress: 0.5 };
  const failed = { state: "failed", reason: "could not" };
  const done = { state: "done", file, units: 3 };
  if (age >= (orders.ms ?? 0)) {
    if (orders.wavers === true) return [200, [running, failed, done][polls % 3] ?? running];
    return [200, orders.fails === true ? failed : done];
  }
  if (orders.flickers === true && asked % 3 === 0) return [502, {}];
  return [200, running];
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** 0.5 credits a unit: a job has 3 units, and up to 5 are held; a thing done at once has one. */
export const unitCost = 500_000n;

/** How jobs are asked about. */
const polling = {
  poll: { path: "/jobs/{submit.id}" },
  status: "$.res.state",
  done: ["done"],
  failed: ["failed"],
  progress: "$.res.progress",
  interval_ms: 100,
  backoff: 1,
  max_ms: 120_000,
};
const fileOfJob = { output: { document: { $file: { url: "$.poll.file" } } } };
const doneAtOnce = { output: { done: "$.res.done" }, meters: [{ meter: "pages", reserve: 1 }] };

/**
 * The catalog of the provider `r1`. Jobs: `m-job`; `m-told`, whose provider knows where to tell news; and `m-film`, which
 * costs a unit for each of `length`, 6 when nobody says. Done at once: `m-run`; `m-sure`, which may be sent twice under one
 * key; and `m-mail` and `m-pay`, which are never to be repeated.
 */
export const jobCatalog: Readonly<Record<string, unknown>> = {
  "providers/r1.json": {
    id: "r1",
    name: "r1",
    base_url: "http://127.0.0.1:9",
    auth: { header: "authorization", prefix: "Bearer " },
  },
  ...modelOf("m-job", "document", {
    ...{ ...requestTo("/jobs"), ...fileOfJob, polling },
    meters: [{ meter: "pages", reserve: 5, quantity: "$.poll.units" }],
  }),
  ...modelOf("m-told", "document", {
    ...{ ...requestTo("/jobs"), ...fileOfJob },
    polling: { ...polling, interval_ms: 500, webhook: { in: "body", parameter: "tell" } },
    meters: [{ meter: "pages", reserve: 5, quantity: "$.poll.units" }],
  }),
  ...modelOf("m-film", "video", {
    ...{ ...requestTo("/jobs", { length: "$.inputs.length" }), ...fileOfJob, polling },
    meters: [{ meter: "pages", reserve: "$.inputs.length" }],
  }),
  ...modelOf("m-run", "tool", { ...requestTo("/once"), ...doneAtOnce }),
  ...modelOf("m-sure", "tool", {
    ...{ ...requestTo("/once"), ...doneAtOnce },
    repeatable: true,
  }),
  ...modelOf("m-mail", "email", { ...requestTo("/once"), ...doneAtOnce }),
  ...modelOf("m-pay", "payment", { ...requestTo("/once"), ...doneAtOnce }),
};

function modelOf(id: string, category: string, endpoint: object): Readonly<Record<string, unknown>> {
  const length = { type: "integer", minimum: 1, maximum: 60, default: 6 };
  const properties = { orders: { type: "object" }, ...(category === "video" ? { length } : {}) };
  const model = {
    ...{ id, kind: "run", category },
    ...(category === "email" || category === "payment" ? { side_effects: true } : {}),
    inputs: { type: "object", properties },
    retail: [{ meter: "pages", per: 1, usd: "0.025" }],
    offers: [{ provider: "r1", upstream_model: id, ...endpoint }],
  };
  return { [`models/test/${id}.json`]: model };
}

function requestTo(path: string, more: object = {}) {
  const body = { run: "$.run.id", orders: { $default: ["$.inputs.orders", {}] }, ...more };
  return { request: { path, headers: { "idempotency-key": "$.run.id" }, body } };
}
