import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import net from "node:net";
import type { Server, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../../src/core/problems.ts";
import { EgressFailure } from "../../src/egress/egress.ts";
import type { TestCertificate } from "./egress-certificate.ts";

/** What of a listener can be seen from outside. */
export type Listener = {
  readonly port: number;
  /** Connections that were ever opened. */
  connections(): number;
  /** Connections that are open now. */
  open(): number;
  /** Destroys every connection. */
  stop(): Promise<void>;
};

/** A listener that nobody may ever reach: counts, and answers in HTTP, so that reaching it would be a success. */
export type Canary = Listener;

/** By default on all addresses of this machine. */
export async function startCanary(host?: string, port = 0): Promise<Canary> {
  return listening(
    net.createServer((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")),
    { host, port },
  );
}

export type Visit = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The address of the site's end of the connection. */
  readonly localAddress: string | undefined;
};

/** A web site under the test's control. */
export type Site = Listener & {
  readonly origin: string;
  readonly visits: readonly Visit[];
  /** Bytes that the site wrote so far, on all its connections. */
  sentBytes(): number;
};

export type SiteAnswer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export type SiteSettings = {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  readonly certificate?: TestCertificate;
};

export async function startSite(answer: SiteAnswer, settings: SiteSettings = {}): Promise<Site> {
  const { host = "127.0.0.1", port = 0, certificate } = settings;
  const visits: Visit[] = [];
  const sockets = new Set<Socket>();
  const sentBytes = (): number => [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  const visit = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url: path = "", headers, socket } = request;
    sockets.add(socket);
    const body = await text(request);
    visits.push({ method, path, headers, body, localAddress: socket.localAddress });
    await answer(request, response);
  };
  const onRequest: RequestListener = (request, response) => {
    visit(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  };
  const server = certificate ? createHttpsServer(certificate, onRequest) : createHttpServer(onRequest);
  const listener = await listening(server, { host, port });
  const origin = `${certificate ? "https" : "http"}://${host}:${listener.port}`;
  return { ...listener, origin, visits, sentBytes };
}

/** A listener that does with each connection what it likes. */
export async function startRawSite(
  onConnection: (socket: Socket) => void,
): Promise<Listener & { origin: string }> {
  const listener = await listening(net.createServer(onConnection), { host: "127.0.0.1", port: 0 });
  return { ...listener, origin: `http://127.0.0.1:${listener.port}` };
}

type Place = { readonly host: string | undefined; readonly port: number };

async function listening(server: Server, { host, port }: Place): Promise<Listener> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
  });
  if (host === undefined) server.listen(port);
  else server.listen(port, host);
  await once(server, "listening");
  return {
    port: portOf(server),
    connections: () => connections,
    open: () => open.size,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

/** How an asking ended: `url_not_allowed`, the kind of the failure, or the status. */
export async function outcomeOf(asking: Promise<{ readonly status: number }>): Promise<string | number> {
  try {
    return (await asking).status;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    if (error instanceof EgressFailure) return error.kind;
    throw error;
  }
}

/** Writes until the other side has gone; no faster than it takes. */
export async function writeForEver(response: ServerResponse, piece: Buffer): Promise<void> {
  while (!response.destroyed) {
    if (response.write(piece)) await nextTurn();
    else await drained(response);
  }
}

/** Also when it will never be, because the other side has gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
    if (response.destroyed) done();
  });
}
