/** A site on loopback for the tests, and the engine's parts with a way out to it. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { TurnableClock } from "../../core/clock.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { createEgress } from "../../egress/egress.ts";
import type { Engine, EngineResult } from "../engine.ts";
import { workerPool } from "../worker-pool.ts";
import type { WorkerPool } from "../worker-pool.ts";
import type { ChromiumSettings } from "./chromium.ts";
import { scrapeEngine } from "./scrape.ts";

export type SitePage =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
    }
  | ((request: IncomingMessage, response: ServerResponse) => void);

export type Site = {
  /** Without a slash at its end. */
  readonly origin: string;
  readonly pages: Map<string, SitePage>;
  /** What was asked for, in order. */
  readonly visits: IncomingMessage[];
  /** How often this path was asked for. */
  visitsTo(path: string): number;
  stop(): Promise<void>;
};

/** Serves what lies in `pages` by path; anything else is not found. */
export async function startSite(pages: Readonly<Record<string, SitePage>> = {}): Promise<Site> {
  const served = new Map(Object.entries(pages));
  const visits: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    visits.push(request);
    const page = served.get(request.url ?? "");
    if (typeof page === "function") {
      page(request, response);
      return;
    }
    const { status = page === undefined ? 404 : 200, headers = {}, body = "" } = page ?? {};
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers });
    response.end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    pages: served,
    visits,
    visitsTo: (path) => visits.filter((visit) => visit.url === path).length,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export type Bench = {
  readonly engine: Engine;
  readonly pool: WorkerPool;
  readonly clock: TurnableClock;
  scrape(inputs: JsonObject, signal?: AbortSignal): Promise<EngineResult>;
  stop(): Promise<void>;
};

/** The engine as the house puts it together, but that it may reach these sites on loopback. */
export function scrapeBench(site: Site, chromium?: ChromiumSettings, others: readonly Site[] = []): Bench {
  const clock = new TurnableClock();
  const pool = workerPool({ timeoutMs: 60_000 });
  const egress = createEgress({ allowed: [site, ...others].map(({ origin }) => new URL(origin).host) });
  const engine = scrapeEngine({ egress, pool, clock, chromium });
  return {
    engine,
    pool,
    clock,
    scrape: (inputs, signal = new AbortController().signal) =>
      engine.run({ inputs, signal, fetchFile: () => Promise.reject(new Error("no file is asked for here")) }),
    stop: async () => {
      await egress.stop();
      await pool.stop();
    },
  };
}
