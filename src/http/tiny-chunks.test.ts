import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { heldBytes } from "../../tests/support/held-bytes.ts";
import { rawRequest } from "../../tests/support/raw-http.ts";
import { arrivingBytes } from "./arriving-bytes.ts";
import { readForm } from "./form-body.ts";
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
async function growth(type: string, opening: string): Promise<number> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  const coming = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const begun = heldBytes();
  socket.write(rawRequest("POST /", [`Content-Type: ${type}`, "Transfer-Encoding: chunked"]));
  socket.write(`${opening.length.toString(16)}\r\n${opening}\r\n`);
  const [request, response] = await coming;
  const reading = type.startsWith("multipart")
    ? readForm(request, response, { maxBytes, stalledClientMs: 60_000 })
    : readBody(request, response, maxBytes);
  const chunks = Buffer.from("1\r\na\r\n".repeat(1_000));
  for (let sent = 0; sent < sentBytes; sent += 1_000) socket.write(chunks);
  const isRead = () => request.socket.bytesRead === socket.bytesWritten && request.readableLength === 0;
  while (!isRead()) await pause(5);
  const grownBytes = heldBytes() - begun;
  socket.destroy();
  await assert.rejects(reading);
  return grownBytes;
}

test("a body in chunks of one byte takes no more memory than thrice its size", async () => {
  const grownBytes = await growth("application/json", '"');
  assert.ok(grownBytes < 3 * sentBytes + 500_000, `memory grew by ${grownBytes} bytes`);
});

test("a form in chunks of one byte takes no more memory than thrice its size, as a file and as a text", async () => {
  for (const more of ["", '; filename="a"']) {
    const opening = `--b\r\ncontent-disposition: form-data; name="a"${more}\r\n\r\n`;
    const grownBytes = await growth("multipart/form-data; boundary=b", opening);
    assert.ok(grownBytes < 3 * sentBytes + 500_000, `memory grew by ${grownBytes} bytes`);
  }
});

test("chunks of a form or a file that came together go their way as few pieces, byte for byte", async () => {
  const socket = net.connect({ port, host: "127.0.0.1" });
  const coming = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const letters = "abcdefghijklmnopqrstuvwxyz".repeat(1_000);
  const chunks = letters.replaceAll(/./g, "1\r\n$&\r\n");
  socket.write(rawRequest("POST /", ["Transfer-Encoding: chunked"], `${chunks}0\r\n\r\n`));
  const [request] = await coming;
  const pieces = await Array.fromAsync(arrivingBytes(request, { stalledClientMs: 60_000 }));
  assert.equal(Buffer.concat(pieces).toString(), letters);
  assert.ok(pieces.length < letters.length / 100, `${pieces.length} pieces`);
  socket.destroy();
});
