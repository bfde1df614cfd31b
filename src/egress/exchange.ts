import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { Client } from "undici";
import type { buildConnector as Connecting } from "undici";
import type { Journey } from "./journey.ts";
import type { Question } from "./question.ts";

export type Reply = {
  readonly status: number;
  /** Names in lower case; values of a repeated name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came over the wire. */
  readonly body: Readable;
  /** The connection was reset, which a body without length does not show. */
  broke(): boolean;
};

/** Headers of an answer above this are refused: 64 KB. */
const maxHeadersBytes = 65_536;

/** One question and its reply over a connection that carries nothing else, before or after. */
export async function exchange(
  question: Question,
  {
    socket,
    journey,
    stallMs,
  }: { readonly socket: Socket; readonly journey: Journey; readonly stallMs: number },
): Promise<Reply> {
  const { method, url, headers, body } = question;
  const client = new Client(url.origin, {
    allowH2: false,
    connect: onlyOver(socket),
    maxHeaderSize: maxHeadersBytes,
    headersTimeout: 0,
    bodyTimeout: stallMs,
  });
  journey.closesBy(() => {
    void client.destroy();
    socket.destroy();
  });
  const path = url.pathname + url.search;
  const asked = client.request({ method, path, headers, body: body ?? null, reset: true });
  const reply = await journey.race(asked);
  // Whoever reads it hears what went wrong; if nobody does, it must not end the process.
  reply.body.on("error", () => undefined);
  return {
    status: reply.statusCode,
    headers: joinedHeaders(reply.headers),
    body: reply.body,
    // undici ends connections with errors of its own; the system's name the call that failed.
    broke: () => socket.errored !== null && "syscall" in socket.errored,
  };
}

/** undici gets this socket and no other: a connector of its own would resolve and connect anew. */
function onlyOver(socket: Socket): Connecting.connector {
  let given = false;
  // Answered at once, undici would miss it: it is still busy with asking.
  return (_, callback) =>
    queueMicrotask(() => {
      if (given || socket.destroyed) callback(new Error("the connection is over"), null);
      else callback(null, socket);
      given = true;
    });
}

function joinedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Readonly<Record<string, string>> {
  const pairs = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return Object.fromEntries(pairs);
}
