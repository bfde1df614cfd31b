import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startSite, writeForEver } from "./egress-sites.ts";
import type { Site } from "./egress-sites.ts";

/**
 * A provider of runs, `h1`, that says what the inputs tell it to say: `POST /answer` answers with `inputs.answer`. Its
 * files: `/file/<bytes>`, `/endless`, `/go?to=<address>` (a redirect), `/circle` and `/huge.json`, one JSON document of `hugeBytes`.
 * Its answers to polls: `/json` while it works, `/json?url=` when it is done.
 */
export type HostileProvider = Site & {
  /** Bytes of `/huge.json` that were written, all times together. */
  readonly hugeWritten: () => number;
  /** The same of its files. */
  readonly fileWritten: () => number;
};

export const hugeBytes = 200 * 1024 * 1024;
export const hostileSecret = "secret-h1";

/** `host`: where it listens, for a second origin that is not the provider's own. */
export async function startHostileProvider(host = "127.0.0.1"): Promise<HostileProvider> {
  let hugeWritten = 0;
  let fileWritten = 0;
  const site = await startSite(answer, { host });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://provider.test");
    const [, kind = "", detail = ""] = url.pathname.split("/");
    switch (kind) {
      case "answer":
        return json(response, JSON.parse(bodyOf(request)).answer);
      case "json":
        return json(response, stateOf(url.searchParams.get("url")));
      case "file":
        return sendFile(response, Number(detail));
      case "endless":
        return writeForEver(response, piece);
      case "go":
        return void response.writeHead(302, { location: url.searchParams.get("to") ?? "" }).end();
      case "circle":
        return void response.writeHead(302, { location: "/circle" }).end();
      case "huge.json":
        return sendHuge(response);
      default:
        return void response.writeHead(404).end();
    }
  }

  /** The site has read it: it is with the visit of the same request. */
  function bodyOf({ headers }: IncomingMessage): string {
    return site.visits.findLast((visit) => visit.headers === headers)?.body ?? "{}";
  }

  async function sendHuge(response: ServerResponse): Promise<void> {
    response.writeHead(200, { "content-type": "application/json", "content-length": hugeBytes });
    response.write('{"a":"');
    const middle = hugeBytes - 8;
    for (let left = middle; left > 0 && !response.destroyed; left -= piece.length) {
      const bytes = piece.subarray(0, Math.min(left, piece.length));
      hugeWritten += bytes.length;
      if (!response.write(bytes)) await drained(response);
    }
    response.end('"}');
  }

  async function sendFile(response: ServerResponse, size: number): Promise<void> {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": size });
    for (let left = size; left > 0 && !response.destroyed; left -= piece.length) {
      const bytes = piece.subarray(0, Math.min(left, piece.length));
      fileWritten += bytes.length;
      if (!response.write(bytes)) await drained(response);
    }
    response.end();
  }

  return { ...site, hugeWritten: () => hugeWritten, fileWritten: () => fileWritten };
}

const piece = Buffer.alloc(256 * 1024, "x");

/** Also when it will never be, because the other side has gone. */
async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const leaving = new AbortController();
  const { signal } = leaving;
  const wait = (name: string) => once(response, name, { signal }).catch(() => undefined);
  await Promise.race([wait("drain"), wait("close")]);
  leaving.abort();
}

function stateOf(url: string | null): object {
  return url === null ? { state: "running" } : { state: "done", url };
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const costUsd = "0.025";
/** What each of the models costs in credits when it succeeds. */
export const hostileCost = "0.500000";

/**
 * The catalog of `h1`. `m-file` stores the file at `answer.url`; `m-poll` asks at `answer.poll_url` until it is done,
 * and `m-fetch` fetches its text from `answer.fetch_url`; `m-huge` is answered with 200 MB.
 */
export const hostileCatalog: Readonly<Record<string, unknown>> = {
  "providers/h1.json": {
    id: "h1",
    name: "h1",
    base_url: "http://127.0.0.1:9",
    auth: { header: "authorization", prefix: "Bearer " },
    trusted_hosts: ["files.h1.example", "*.h1.example"],
  },
  "models/test/m-file.json": model("m-file", { output: { document: { $file: { url: "$.res.url" } } } }),
  "models/test/m-poll.json": model("m-poll", {
    polling: {
      poll: { url: "$.submit.poll_url" },
      status: "$.res.state",
      done: ["done"],
      failed: ["failed"],
      interval_ms: 50,
      backoff: 1,
      max_ms: 60_000,
    },
    output: { document: { $file: { url: "$.poll.url" } } },
  }),
  "models/test/m-fetch.json": model("m-fetch", {
    fetches: [{ url: "$.submit.fetch_url", as: "text" }],
    output: { text: "$.text" },
  }),
  "models/test/m-huge.json": model("m-huge", {
    request: { path: "/huge.json", body: {} },
    output: { text: "$.res.a" },
  }),
};

/** The same provider as `g1`, whose door opens with a service account's token; its model is `m-token`. */
export const tokenCatalog: Readonly<Record<string, unknown>> = {
  "providers/g1.json": {
    id: "g1",
    name: "g1",
    base_url: "http://127.0.0.1:9",
    auth: { type: "google-service-account", scope: "https://example.com/auth/all" },
  },
  "models/test/m-token.json": model("m-token", { provider: "g1", output: { said: "$.res" } }),
};

function model(id: string, endpoint: object): unknown {
  return {
    id,
    kind: "run",
    category: "document",
    inputs: { type: "object", properties: { answer: { type: "object" } } },
    retail: [{ meter: "pages", per: 1, usd: costUsd }],
    offers: [
      {
        provider: "h1",
        upstream_model: id,
        request: { path: "/answer", body: { answer: "$.inputs.answer" } },
        meters: [{ meter: "pages", reserve: 1 }],
        ...endpoint,
      },
    ],
  };
}
