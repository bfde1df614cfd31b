import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import type { Socket } from "node:net";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Gateway } from "./gateway.ts";

export type Stopping = {
  /** When the signal was sent, by `performance.now()`. */
  readonly toldAt: number;
  readonly ended: Promise<Ended>;
};

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly at: number };

/** More than the drain takes, whether it is set or not. */
const giveUpMs = 25_000;

/** SIGTERM. Unlike the gateway's own `stop`, it does not wait and leaves the data directory where it is. */
export function tellToStop({ process: child }: GatewayProcess): Stopping {
  const ended = new Promise<Ended>((resolve, reject) => {
    const giveUp = () => reject(new Error(`it goes on ${giveUpMs} ms after it was told to stop`));
    const timer = setTimeout(giveUp, giveUpMs);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, at: performance.now() });
    });
  });
  // Whoever asks for it is told; a test that fails before it asks has another reason.
  ended.catch(() => undefined);
  const toldAt = performance.now();
  child.kill("SIGTERM");
  return { toldAt, ended };
}

/** A connection that is open and has not asked for anything: it is still there when the doors are closed. */
export async function openConnection(gateway: Gateway): Promise<Socket> {
  const socket = net.connect({ port: gateway.port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** A connection that was used once and waits for its next request. */
export async function idleConnection(gateway: Gateway): Promise<Socket> {
  const socket = await openConnection(gateway);
  socket.write("GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n");
  await once(socket, "data");
  return socket;
}

export type OpenAnswer = { readonly status: number; readonly body: string; readonly retryAfter: string };

/** Asks on a connection that is open already. Status 0 when it closes without an answer. */
export function askOn(
  socket: Socket,
  path: string,
  { key, body }: { readonly key?: string; readonly body?: unknown } = {},
): Promise<OpenAnswer> {
  return new Promise((resolve) => {
    const request = http.request({
      createConnection: () => socket,
      path,
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
    });
    request.on("error", () => resolve({ status: 0, body: "", retryAfter: "" }));
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          body: text,
          retryAfter: response.headers["retry-after"] ?? "",
        }),
      );
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
