import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";

/** A stand-in of our API for tests: plays prepared answers on loopback and notes what was asked. */
export type FakeApi = {
  readonly url: string;
  readonly asked: readonly AskedOfFake[];
  close(): Promise<void>;
};

export type AskedOfFake = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** Resolves when the connection under the answer is gone. */
  readonly closed: Promise<void>;
};

export type FakeReply = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is text. */
  readonly body?: unknown;
  /** A streamed body, each piece a write of its own. */
  readonly pieces?: readonly (string | Uint8Array)[];
  /** What follows the pieces: the end, a cut connection, or nothing. */
  readonly finish?: "end" | "cut" | "hang";
};

/** `METHOD /path` without its query → what is answered. */
export type FakeReplies = Readonly<Record<string, FakeReply | ((asked: AskedOfFake) => FakeReply)>>;

const notFound: FakeReply = {
  status: 404,
  body: { error: { message: "There is nothing at this address.", code: "not_found", param: null } },
};

export async function startFakeApi(replies: FakeReplies): Promise<FakeApi> {
  const asked: AskedOfFake[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString("utf8");
      const { method = "", url: path = "", headers } = request;
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      const closed = new Promise<void>((resolve) => response.once("close", () => resolve()));
      const one = { method, path, headers, body, closed };
      asked.push(one);
      const reply = replies[`${method} ${path.split("?")[0] ?? ""}`] ?? notFound;
      void play(response, typeof reply === "function" ? reply(one) : reply);
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the fake has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function play(response: ServerResponse, reply: FakeReply): Promise<void> {
  const { status = 200, headers = {}, body, pieces, finish = "end" } = reply;
  if (pieces === undefined) {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
    return;
  }
  response.writeHead(status, { "content-type": "text/event-stream", ...headers });
  for (const piece of pieces) {
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    // One turn of the loop between the pieces, so that they do not leave as one.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (finish === "end") response.end();
  if (finish === "cut") response.destroy();
}
