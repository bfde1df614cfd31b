import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { heldBytes } from "../../tests/support/held-bytes.ts";
import { rawRequest } from "../../tests/support/raw-http.ts";
import { readBody } from "./read-body.ts";

const maxBytes = 1_000_000;
const sentBytes = 50_000;
const server = createServer();
let port: number;

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
after(() => server.close());

/** By how much memory grows while a body whose last bytes are missing is read. */
async function growth(opening: string): Promise<number> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  const coming = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const begun = heldBytes();
  socket.write(rawRequest("POST /", ["Transfer-Encoding: chunked"]));
  socket.write(`${opening.length.toString(16)}\r\n${opening}\r\n`);
  const [request, response] = await coming;
  const reading = readBody(request, response, maxBytes);
  const chunks = Buffer.from("1\r\na\r\n".repeat(1_000));
  for (let sent = 0; sent < sentBytes; sent += 1_000) socket.write(chunks);
  const isRead = () => request.socket.bytesRead === socket.bytesWritten && request.readableLength === 0;
  while (!isRead()) await nextTurn();
  const grownBytes = heldBytes() - begun;
  socket.destroy();
  await assert.rejects(reading);
  return grownBytes;
}

test("a body in chunks of one byte takes no more memory than thrice its size", async () => {
  const grownBytes = await growth('"');
  assert.ok(grownBytes < 3 * sentBytes + 500_000, `memory grew by ${grownBytes} bytes`);
});
