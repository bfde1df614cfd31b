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
  /** It is taken, and the connection breaks before the answer. */
  readonly breaks?: boolean;
  /** So many polls answer 404, or 500, before the truth. */
  readonly unknown?: number;
  readonly broken?: number;
  /** States alternate until it is done: nothing can be told from one of them. */
  readonly flickers?: boolean;
};

export type Submission = {
  readonly run: string;
  readonly orders: Orders;
  readonly at: number;
  readonly headers: IncomingHttpHeaders;
};

export type FakeJobs = {
  readonly url: string;
  readonly submissions: readonly Submission[];
  readonly files: number;
  readonly polls: number;
  stop(): Promise<void>;
};

export async function startFakeJobs(): Promise<FakeJobs> {
  const submissions: Submission[] = [];
  const pollsOf = new Map<number, number>();
  let files = 0;
  let polls = 0;
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
    const { run, orders } = JSON.parse(Buffer.concat(parts).toString("utf8")) as Pick<
      Submission,
      "run" | "orders"
    >;
    submissions.push({ run, orders, at: performance.now(), headers: request.headers });
    const id = submissions.length - 1;
    if (orders.breaks === true) response.destroy();
    else if (request.url === "/once") json(response, 200, { id, done: true });
    else json(response, 201, { id });
  }

  function poll(id: number, response: ServerResponse): void {
    polls += 1;
    const submission = submissions[id];
    if (submission === undefined) return json(response, 404, { error: "no such job" });
    const asked = (pollsOf.get(id) ?? 0) + 1;
    pollsOf.set(id, asked);
    const [status, body] = standingOf(submission, asked, `${url}/files/${id}`);
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
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a poll is told, the first one with `asked` 1. */
function standingOf({ orders, at }: Submission, asked: number, file: string): readonly [number, object] {
  if (asked <= (orders.unknown ?? 0)) return [404, { error: "no such job" }];
  if (asked <= (orders.broken ?? 0)) return [500, { error: "we are sorry" }];
  const isDone = performance.now() - at >= (orders.ms ?? 0);
  if (isDone) {
    const failure = { state: "failed", reason: "could not" };
    return [200, orders.fails === true ? failure : { state: "done", file, units: 3 }];
  }
  if (orders.flickers === true && asked % 3 === 0) return [502, {}];
  return [200, { state: "running", progress: 0.5 }];
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** 0.5 credits a unit: a job has 3 units, and up to 5 are held; a thing done at once has one. */
export const unitCost = 500_000n;

/** The catalog of the provider `r1`: `m-job`, `m-run` and `m-mail`, which is never to be repeated. */
export const jobCatalog: Readonly<Record<string, unknown>> = {
  "providers/r1.json": {
    id: "r1",
    name: "r1",
    base_url: "http://127.0.0.1:9",
    auth: { header: "authorization", prefix: "Bearer " },
  },
  "models/test/m-job.json": {
    ...modelOf("m-job", "document"),
    offers: [
      {
        ...offerOf("m-job", "/jobs"),
        polling: {
          poll: { path: "/jobs/{submit.id}" },
          status: "$.res.state",
          done: ["done"],
          failed: ["failed"],
          progress: "$.res.progress",
          interval_ms: 100,
          backoff: 1,
          max_ms: 60_000,
        },
        output: { document: { $file: { url: "$.poll.file" } } },
        meters: [{ meter: "pages", reserve: 5, quantity: "$.poll.units" }],
      },
    ],
  },
  "models/test/m-run.json": {
    ...modelOf("m-run", "tool"),
    offers: [
      {
        ...offerOf("m-run", "/once"),
        output: { done: "$.res.done" },
        meters: [{ meter: "pages", reserve: 1 }],
      },
    ],
  },
  "models/test/m-mail.json": {
    ...modelOf("m-mail", "email"),
    side_effects: true,
    offers: [
      {
        ...offerOf("m-mail", "/once"),
        output: { done: "$.res.done" },
        meters: [{ meter: "pages", reserve: 1 }],
      },
    ],
  },
};

function modelOf(id: string, category: string) {
  return {
    id,
    kind: "run",
    category,
    inputs: { type: "object", properties: { orders: { type: "object" } } },
    retail: [{ meter: "pages", per: 1, usd: "0.025" }],
  };
}

function offerOf(id: string, path: string) {
  return {
    provider: "r1",
    upstream_model: id,
    request: { path, body: { run: "$.run.id", orders: { $default: ["$.inputs.orders", {}] } } },
  };
}
