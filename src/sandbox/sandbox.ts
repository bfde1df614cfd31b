/**
 * Emulators of the providers on one loopback server, each under its own path: `/anthropic/v1/messages`,
 * `/openai/v1/chat/completions`, and the OpenAI wire under any other provider's id, `/deepseek/v1/chat/completions`.
 * The same request always has the same answer. What can be ordered (faults, pace, length): directives.ts.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { anthropicWire } from "./anthropic/wire.ts";
import { credentialOf, readBody } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { openaiWire } from "./openai/wire.ts";
import { Refusal } from "./refusal.ts";
import type { Wire } from "./wire.ts";

export type SandboxOptions = {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port?: number;
  /** Milliseconds since 1970. Without it time stands still, and equal requests have equal answers to the byte. */
  readonly now?: () => number;
};

export type RunningSandbox = {
  /** Without a slash at the end; `${url}/openai/v1` is the base address of a provider. */
  readonly url: string;
  readonly port: number;
  /** Ends open answers too; resolves when the port is free. */
  stop(): Promise<void>;
};

const standstill = Date.UTC(2026, 10, 23);
/** A credential that every provider refuses. */
const refusedCredential = "invalid";

export async function startSandbox(options: SandboxOptions = {}): Promise<RunningSandbox> {
  const host = options.host ?? "127.0.0.1";
  const now = options.now ?? (() => standstill);
  const server = createServer((request, response) => {
    void answer(request, response, now);
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

async function answer(request: IncomingMessage, response: ServerResponse, now: () => number): Promise<void> {
  const leaving = new AbortController();
  response.once("close", () => leaving.abort());
  const path = (request.url ?? "/").replace(/\?.*$/s, "");
  const [, provider = "", rest = path] = /^\/([a-z0-9][a-z0-9_.-]*)(\/v1\/.*)$/.exec(path) ?? [];
  const wire = provider === "anthropic" ? anthropicWire : openaiWire;
  const exchange: Exchange = {
    provider,
    headers: request.headers,
    body: "",
    response,
    signal: leaving.signal,
    now,
  };
  try {
    const door = openedDoor(wire, exchange, { method: request.method ?? "GET", path: rest });
    await door({ ...exchange, body: await readBody(request) });
  } catch (reason) {
    if (leaving.signal.aborted || response.headersSent) {
      response.destroy();
      return;
    }
    // What is left of a body that was not read would be taken for the next request.
    if (!request.complete) response.setHeader("connection", "close");
    const refusal =
      reason instanceof Refusal ? reason : new Refusal(500, `The sandbox is at fault: ${String(reason)}`);
    wire.refuse(exchange, refusal);
  }
}

function openedDoor(
  wire: Wire,
  exchange: Exchange,
  asked: { readonly method: string; readonly path: string },
) {
  const door = exchange.provider === "" ? undefined : wire.door(asked.method, asked.path);
  if (door === undefined) throw new Refusal(404, `There is no ${asked.method} ${asked.path} here.`);
  const credential = credentialOf(exchange.headers);
  if (credential === "") throw new Refusal(401, "No API key was sent.");
  if (credential === refusedCredential)
    throw new Refusal(401, "The API key is not valid.", { code: "invalid_api_key" });
  return door;
}
