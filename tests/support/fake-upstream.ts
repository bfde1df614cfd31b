import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import net from "node:net";
import type { Socket } from "node:net";
import { ok } from "./fake-behaviours.ts";
import type { Behaviour } from "./fake-behaviours.ts";
import { FakeCall } from "./fake-call.ts";
import type { CallRecord } from "./fake-call.ts";

/**
 * A provider under the test's control: speaks OpenAI's wire at `…/chat/completions` and Anthropic's at `…/messages`,
 * does per model what it was told, and keeps the truth about every call in `log`.
 */
export type FakeUpstream = {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** The origin with `/v1`. */
  readonly baseUrl: string;
  readonly log: readonly CallRecord[];
  /** The most calls that were open at one time. */
  readonly maxOverlap: number;
  /** Every later call for this model goes so. A model without a script answers `ok()`. */
  script(model: string, behaviour: Behaviour): void;
  calls(model: string): readonly CallRecord[];
  /** Calls that are being answered now. */
  open(): number;
  /** Connections that are open now, idle ones included. */
  connections(): number;
  /** Connections that were ever opened. */
  opened(): number;
  /** Destroys every connection on which no call is being answered. */
  closeIdle(): void;
  /** Forgets the log, the scripts and the overlap. */
  clear(): void;
  /** Destroys every connection. */
  stop(): Promise<void>;
};

/** Resolves when `holds` does, looked at every few milliseconds; fails after `withinMs`. */
export async function eventually(holds: () => boolean, withinMs = 2_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** An address of this machine where nobody listens. */
export async function deadBaseUrl(): Promise<string> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}/v1`;
}

export async function startFakeUpstream(): Promise<FakeUpstream> {
  const fake = new ScriptedUpstream();
  await fake.listen();
  return fake;
}

class ScriptedUpstream implements FakeUpstream {
  readonly log: CallRecord[] = [];
  maxOverlap = 0;
  readonly #server: Server;
  readonly #scripts = new Map<string, Behaviour>();
  readonly #sockets = new Map<Socket, number>();
  readonly #busy = new Set<Socket>();
  #connectionCount = 0;
  #open = 0;
  #port = 0;

  constructor() {
    this.#server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    this.#server.on("connection", (socket: Socket) => {
      this.#connectionCount += 1;
      this.#sockets.set(socket, this.#connectionCount);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#busy.delete(socket);
      });
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = portOf(this.#server);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get baseUrl(): string {
    return `${this.origin}/v1`;
  }

  script(model: string, behaviour: Behaviour): void {
    this.#scripts.set(model, behaviour);
  }

  calls(model: string): readonly CallRecord[] {
    return this.log.filter((record) => record.model === model);
  }

  open(): number {
    return this.#open;
  }

  connections(): number {
    return this.#sockets.size;
  }

  opened(): number {
    return this.#connectionCount;
  }

  closeIdle(): void {
    for (const socket of this.#sockets.keys()) if (!this.#busy.has(socket)) socket.destroy();
  }

  clear(): void {
    this.log.length = 0;
    this.#scripts.clear();
    this.maxOverlap = this.#open;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open += 1;
    this.maxOverlap = Math.max(this.maxOverlap, this.#open);
    this.#busy.add(request.socket);
    response.on("close", () => {
      this.#open -= 1;
      this.#busy.delete(request.socket);
    });
    const bytes = await bytesOf(request);
    if (bytes === undefined) return;
    const record = this.#record(request, bytes);
    this.log.push(record);
    await (this.#scripts.get(record.model) ?? ok())(new FakeCall(record, request, response));
  }

  #record(request: IncomingMessage, bytes: Buffer): CallRecord {
    const json = readJson(bytes);
    const path = request.url ?? "";
    return {
      at: Date.now(),
      startedAt: performance.now(),
      connectionId: this.#sockets.get(request.socket) ?? 0,
      path,
      wire: path.split("?")[0]?.endsWith("/messages") === true ? "anthropic" : "openai",
      model: typeof json["model"] === "string" ? json["model"] : "",
      stream: json["stream"] === true,
      headers: request.headers,
      bytes,
      json,
      tokens: 0,
      tokenTimes: [],
      sentBytes: 0,
      stalls: 0,
      stalled: false,
      closedByClientAt: undefined,
      finished: false,
    };
  }
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the server does not listen on a port");
  return address.port;
}

/** Undefined when the client left before its request was complete. */
async function bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(Buffer.from(part));
  } catch {
    return undefined;
  }
  return Buffer.concat(parts);
}

function readJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
