import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { rawRequest } from "../../tests/support/raw-http.ts";
import { silentLog } from "../core/log.ts";
import { withBody } from "./door.ts";
import type { Door } from "./door.ts";
import { frontServer } from "./server.ts";

const stalledClientMs = 500;
const largeBytes = 50_000_000;
let gate = Promise.withResolvers<void>();
let begun = Promise.withResolvers<void>();
let visits: number;

function door(path: string, attend: Extract<Door, { attend: unknown }>["attend"]): Door {
  return { method: "POST", path, access: "open", summary: "", answers: "", attend, body: z.looseObject({}) };
}

const nobody = (): never => {
  throw new Error("these doors are open to all");
};
const server = frontServer({
  doors: [
    door("/stream", async (_visit, _request, response) => {
      visits += 1;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("one ");
      begun.resolve();
      await gate.promise;
      response.write("two ");
      response.end("three");
    }),
    door("/whole", async () => {
      visits += 1;
      begun.resolve();
      await gate.promise;
      return { status: 200, body: { answer: "whole" } };
    }),
    door("/large", async (_visit, _request, response) => {
      response.setTimeout(stalledClientMs);
      response.end(Buffer.alloc(largeBytes));
      begun.resolve();
    }),
    {
      ...{ method: "POST", path: "/echo", access: "open", summary: "", answers: "" },
      ...withBody(z.looseObject({}), ({ body }) => ({ status: 200, body })),
    },
  ],
  doorkeeper: { callerOf: nobody, isOperator: nobody, forget: () => undefined },
  log: silentLog,
  maxBodyBytes: 10_000,
  timeouts: { headersMs: 300, requestMs: 600, checkEveryMs: 50, keepAliveMs: 5_000 },
  headersFor: async () => ({}),
});
let port: number;

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  gate = Promise.withResolvers();
  begun = Promise.withResolvers();
  visits = 0;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** What comes back when `second` is sent behind a request that is being answered, whose answer goes on after a while. */
async function answersTo(path: string, second: string, whileMs: number): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (bytes) => (text += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(rawRequest(`POST ${path}`, [], "{}"));
  await begun.promise;
  socket.write(second);
  await pause(whileMs);
  gate.resolve();
  await closed;
  return text;
}

const hidden = rawRequest("POST /whole", [], "{}").toString("latin1");
const line = "POST /echo HTTP/1.1\r\nHost: gateway\r\n";
const broken: readonly (readonly [string, number, string])[] = [
  ["no HTTP", 400, `HELLO\r\n\r\n${hidden}`],
  ["a header of 17 KB", 431, `${line}X-A: ${"a".repeat(17_000)}\r\n\r\n${hidden}`],
  ["headers that do not end", 408, line],
  ["a chunk that is none", 400, `${line}Transfer-Encoding: chunked\r\n\r\nx\r\n${hidden}`],
  ["a body that does not end", 408, `${line}Content-Length: 100\r\n\r\n{`],
];

for (const [label, status, second] of broken) {
  test(`${label}, behind a running request, is refused when that is answered to its end`, async () => {
    // What comes too slowly is refused after 600 ms at most.
    const whileMs = status === 408 ? 900 : 50;
    const streamed = await answersTo("/stream", second, whileMs);
    const [, frames = "", refusal = ""] =
      /^HTTP\/1\.1 200 [^]*?\r\n\r\n([^]*?0\r\n\r\n)([^]*)$/.exec(streamed) ?? [];
    assert.equal(frames, "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n", streamed);
    assertRefusal(refusal, status);
    begun = Promise.withResolvers();
    gate = Promise.withResolvers();
    const whole = await answersTo("/whole", second, whileMs);
    const [, behind = ""] = /^HTTP\/1\.1 200 [^]*?\r\n\r\n\{"answer":"whole"\}([^]*)$/.exec(whole) ?? [];
    assertRefusal(behind, status);
    assert.equal(visits, 2, "what lies behind is served");
  });
}

function assertRefusal(text: string, status: number): void {
  assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
  assert.match(text, /\r\nconnection: close\r\n/i);
  const { error } = JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4));
  assert.equal(typeof error.code, "string");
}

test("a client that does not read its answer and sends what is no HTTP is cut off as any that does not read", async () => {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.pause();
  socket.on("error", () => undefined);
  socket.write(rawRequest("POST /large", [], "{}"));
  await begun.promise;
  const open = await connections();
  socket.write("HELLO\r\n\r\n");
  while ((await connections()) === open) await pause(20);
  socket.destroy();
});

function connections(): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
