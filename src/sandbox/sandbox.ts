/**
 * Emulators of the providers on one loopback server, each under its own path: `/anthropic/v1/messages`,
 * `/openai/v1/chat/completions`, `/bfl/v1/flux-pro-1.1`, and the OpenAI wire under any other provider's id,
 * `/deepseek/v1/chat/completions`. The same request always has the same answer, but for the ids of jobs and the addresses of
 * files that expire. What can be ordered (faults, pace, length, how jobs end): directives.ts. How to add one: emulator.ts.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Counter } from "./counter.ts";
import { emulatorOf } from "./emulators.ts";
import { readBody } from "./exchange.ts";
import { jobDesk } from "./job-desk.ts";
import type { JobDesk } from "./job-desk.ts";
import { Refusal } from "./refusal.ts";

export type SandboxOptions = {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port?: number;
  /**
   * Milliseconds since 1970. Without it a chat's time stands still, and equal requests have equal answers to the byte; the
   * time of jobs begins there and goes on, as they would never end otherwise.
   */
  readonly now?: () => number;
  /** How many tokens a provider's chat model takes. Without it, and for models it does not know, any prompt is answered. */
  readonly windowOf?: (provider: string, model: string) => number | undefined;
};

export type RunningSandbox = {
  /** Without a slash at the end; `${url}/openai/v1` is the base address of a provider. */
  readonly url: string;
  readonly port: number;
  /** Ends open answers too; resolves when the port is free. */
  stop(): Promise<void>;
};

const standstill = Date.UTC(2026, 10, 23);

export async function startSandbox(options: SandboxOptions = {}): Promise<RunningSandbox> {
  const host = options.host ?? "127.0.0.1";
  const begun = performance.now();
  const house: House = {
    now: options.now ?? (() => standstill),
    workNow: options.now ?? (() => standstill + Math.floor(performance.now() - begun)),
    desk: jobDesk(),
    windowOf: options.windowOf ?? (() => undefined),
  };
  const server = createServer((request, response) => {
    answer(request, response, house).catch(() => response.destroy());
  });
  // A client that keeps its connections must not meet one that was closed a moment before.
  server.keepAliveTimeout = 300_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type House = {
  readonly now: () => number;
  readonly workNow: () => number;
  readonly desk: JobDesk;
  readonly windowOf: (provider: string, model: string) => number | undefined;
};

async function answer(request: IncomingMessage, response: ServerResponse, house: House): Promise<void> {
  const leaving = new AbortController();
  response.once("close", () => leaving.abort());
  const counter = await counterFor(request, response, { ...house, signal: leaving.signal });
  try {
    counter.check();
    await counter.serve(await readBody(request));
  } catch (reason) {
    if (leaving.signal.aborted || response.headersSent) {
      response.destroy();
      return;
    }
    // What is left of a body that was not read would be taken for the next request.
    if (!request.complete) response.setHeader("connection", "close");
    const refusal =
      reason instanceof Refusal ? reason : new Refusal(500, `The sandbox is at fault: ${String(reason)}`);
    await counter.refuse(refusal);
  }
}

type Surroundings = House & { readonly signal: AbortSignal };

/** What answers is loaded with the first request: a start does not wait for it, and most servers are never asked. */
async function counterFor(
  request: IncomingMessage,
  response: ServerResponse,
  around: Surroundings,
): Promise<Counter> {
  const { headers, method = "GET", url = "/" } = request;
  const [path = "/", ...rest] = url.split("?");
  const [, provider = "", below = path] = /^\/([a-z0-9][a-z0-9_.-]*)(\/.*)$/s.exec(path) ?? [];
  const { now, workNow, desk, signal } = around;
  const emulator = await emulatorOf(provider);
  if (emulator !== undefined) {
    const query = new URLSearchParams(rest.join("?"));
    const asked = { provider, method, path: below, query, headers, signal, now: workNow, desk };
    const { runCounter } = await import("./run-counter.ts");
    const counter = runCounter(emulator, asked, response);
    if (counter !== undefined) return counter;
  }
  const windowOf = (model: string): number | undefined => around.windowOf(provider, model);
  const exchange = { provider, headers, body: "", response, signal, now, windowOf };
  const { chatCounter } = await import("./chat-counter.ts");
  return chatCounter(exchange, { method, path: below });
}
