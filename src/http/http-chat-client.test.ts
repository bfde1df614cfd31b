import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import net from "node:net";
import { test } from "node:test";
import { HttpChatClient } from "./http-chat-client.ts";

const stalledClientMs = 300;
/** More than the system's own buffers take. */
const answer = "x".repeat(32 * 1024 * 1024);

type Visit = {
  readonly client: HttpChatClient;
  readonly response: ServerResponse;
  readonly socket: net.Socket;
};

/** One request of a client that does not read, handed to `meet`. */
async function visited(meet: (visit: Visit) => Promise<void>): Promise<void> {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, response) => asked.resolve(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const socket = net.connect(address.port, "127.0.0.1").on("error", () => undefined);
  socket.pause();
  socket.write("POST / HTTP/1.1\r\nhost: gateway\r\n\r\n");
  const response = await asked.promise;
  try {
    await meet({
      client: new HttpChatClient(response, { requestId: "req_1", stalledClientMs }),
      response,
      socket,
    });
  } finally {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  }
}

for (const [form, deliver] of [
  ["a whole answer", (client: HttpChatClient) => client.answer({}, answer)],
  [
    "a stream's end",
    (client: HttpChatClient) => {
      client.startStream({});
      client.endStream(answer, "latin1");
    },
  ],
] as const) {
  test(`the connection of a client that does not read ${form} is closed`, { timeout: 10_000 }, () =>
    visited(async ({ client, response }) => {
      deliver(client);
      await once(response, "close");
      assert.equal(response.writableFinished, false);
    }),
  );

  test(`a client that reads ${form} slowly gets all of it`, { timeout: 20_000 }, () =>
    visited(async ({ client, response, socket }) => {
      let sizeBytes = 0;
      socket.on("data", (bytes) => {
        sizeBytes += bytes.length;
        socket.pause();
        setTimeout(() => socket.resume(), 1);
      });
      deliver(client);
      setTimeout(() => socket.resume(), stalledClientMs / 2);
      await once(response, "close");
      assert.equal(response.writableFinished, true);
      assert.ok(sizeBytes > answer.length / 2);
    }),
  );
}

test("who asks to hear of a client that has gone already hears it at once", () =>
  visited(async ({ client, response, socket }) => {
    socket.resetAndDestroy();
    await once(response, "close");
    assert.equal(client.gone, true);
    let heard = 0;
    client.onGone(() => (heard += 1));
    assert.equal(heard, 1);
  }));
