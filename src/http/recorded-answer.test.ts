import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { recordAnswer } from "./recorded-answer.ts";
import type { RecordedAnswer } from "./recorded-answer.ts";

const mostBytes = 1_000;

type Recording = {
  readonly response: ServerResponse;
  /** What was recorded, once the end was written. */
  readonly ended: Promise<RecordedAnswer>;
  /** Lets the end go out. */
  readonly release: (error?: Error) => void;
  readonly socket: net.Socket;
  /** What the client has received. */
  readonly received: () => string;
};

async function recording(use: (recording: Recording) => Promise<void>): Promise<void> {
  const ended = Promise.withResolvers<RecordedAnswer>();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, response) => {
    recordAnswer(response, mostBytes, (answer) => {
      ended.resolve(answer);
      return gate.promise;
    });
    asked.resolve(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const socket = net.connect(address.port, "127.0.0.1").on("error", () => undefined);
  let received = "";
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  socket.write("POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
  const release = (error?: Error): void => (error === undefined ? gate.resolve() : gate.reject(error));
  try {
    const response = await asked.promise;
    await use({ response, ended: ended.promise, release, socket, received: () => received });
  } finally {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const giveUpAt = performance.now() + 10_000; !holds();) {
    assert.ok(performance.now() < giveUpAt, holds.toString());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test(
  "pieces pass through as they come, and only the end waits until it is recorded",
  { timeout: 20_000 },
  () =>
    recording(async ({ response, ended, release, socket, received }) => {
      response.setHeader("Idempotent-Replayed", "true");
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: gr\u00fc\u00df\n\n", "latin1");
      response.write(Buffer.from("data: 2\n\n"));
      await until(() => received().includes("data: 2"));
      response.end("data: [DONE]\n\n", "utf8");
      assert.deepEqual(await ended, {
        status: 200,
        headers: { "idempotent-replayed": "true", "content-type": "text/event-stream" },
        body: Buffer.from("data: gr\u00fc\u00df\n\ndata: 2\n\ndata: [DONE]\n\n", "latin1"),
      });
      assert.ok(!response.writableEnded && !received().includes("[DONE]"), "the end waits");
      release();
      await once(socket, "close");
      assert.match(received(), /data: \[DONE\]\n\n\r\n0\r\n\r\n$/);
    }),
);

test("the end is sent as well when it could not be recorded, and once only", { timeout: 20_000 }, () =>
  recording(async ({ response, release, socket, received }) => {
    let finished = 0;
    response.writeHead(200, { "content-length": 2 }).end("ok", () => (finished += 1));
    response.end("again");
    release(new Error("not recorded"));
    await once(socket, "close");
    assert.match(received(), /\r\n\r\nok$/);
    assert.equal(finished, 1);
  }),
);

test(
  "an answer without a head of its own, and one without a body, are recorded",
  { timeout: 20_000 },
  async () => {
    await recording(async ({ response, ended, release, socket, received }) => {
      response.statusCode = 201;
      response.setHeader("location", "/there");
      response.end("made");
      release();
      assert.deepEqual(await ended, {
        status: 201,
        headers: { location: "/there" },
        body: Buffer.from("made"),
      });
      await once(socket, "close");
      assert.match(received(), /^HTTP\/1\.1 201 [^]*content-length: 4\r\n[^]*made$/i);
    });
    await recording(async ({ response, ended, release, socket, received }) => {
      response.writeHead(204, "Nothing", { "x-request-id": "req_1" });
      response.end();
      release();
      assert.deepEqual(await ended, {
        status: 204,
        headers: { "x-request-id": "req_1" },
        body: Buffer.alloc(0),
      });
      await once(socket, "close");
      assert.match(received(), /^HTTP\/1\.1 204 Nothing\r\n/);
    });
  },
);

test(
  "of what is larger than the bound nothing is kept in memory, and all of it is sent",
  { timeout: 20_000 },
  async () => {
    for (const sizeBytes of [mostBytes, mostBytes + 1]) {
      await recording(async ({ response, ended, release, socket, received }) => {
        const pieces = Array.from({ length: sizeBytes }, () => "x");
        release();
        await pipeline(Readable.from(pieces), response);
        assert.equal((await ended).body?.length, sizeBytes > mostBytes ? undefined : sizeBytes);
        await once(socket, "close");
        assert.equal(received().split("x").length - 1, sizeBytes);
      });
    }
  },
);

test("what a client that has gone no longer takes is recorded to its end", { timeout: 20_000 }, () =>
  recording(async ({ response, ended, release, socket }) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("before ");
    socket.resetAndDestroy();
    await once(response, "close");
    assert.equal(response.write("after "), false);
    response.end("end");
    release();
    assert.equal(String((await ended).body), "before after end");
  }),
);
