import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startFilesHouse } from "./support/files-house.ts";
import type { FilesCustomer, FilesHouse } from "./support/files-house.ts";
import { rawRequest } from "./support/raw-http.ts";

/** Files that come slowly, at a front with less patience than the real one. */

const requestMs = 600;
let house: FilesHouse;
let ada: FilesCustomer;

before(async () => {
  house = await startFilesHouse({
    stalledClientMs: 1_500,
    slowest: { afterMs: 500, bytesPerSecond: 5_000 },
    timeouts: { headersMs: 300, requestMs, checkEveryMs: 50, keepAliveMs: 5_000 },
  });
  ada = await house.customer();
});
after(() => house.stop());

type Slowly = { readonly pieceBytes: number; readonly everyMs: number; readonly forMs: number };

/** Sends a file piece by piece for so long, as its body or in a form, and what `behind` it is; then waits for the end. */
async function sendSlowly(
  kind: "body" | "form",
  slowly: Slowly,
  behind: string | Buffer = "",
): Promise<string> {
  const { pieceBytes, everyMs, forMs } = slowly;
  const socket = net.connect({ port: house.port, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (bytes) => (text += bytes.toString()));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  const type = kind === "body" ? "a/b" : "multipart/form-data; boundary=b";
  const lines = [`Authorization: Bearer ${ada.key}`, `Content-Type: ${type}`, "Transfer-Encoding: chunked"];
  const send = (bytes: string) => socket.write(`${bytes.length.toString(16)}\r\n${bytes}\r\n`);
  socket.write(rawRequest("POST /v1/files", lines));
  if (kind === "form") send('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n');
  const startedAt = performance.now();
  while (text === "" && performance.now() - startedAt < forMs) {
    send("x".repeat(pieceBytes));
    await pause(everyMs);
  }
  if (kind === "form") send("\r\n--b--\r\n");
  socket.write("0\r\n\r\n");
  if (text === "") socket.write(behind);
  await closed;
  return text;
}

test("a file that comes steadily is taken, however long that takes, and the next request has its own time", async () => {
  const steadily = { pieceBytes: 2_000, everyMs: 50, forMs: 3 * requestMs };
  const next = rawRequest("GET /v1/files", [`Authorization: Bearer ${ada.key}`]).subarray(0, 30);
  for (const kind of ["body", "form"] as const) {
    const text = await sendSlowly(kind, steadily, next);
    assert.match(text, /^HTTP\/1\.1 200 [^]*"object":"file"[^]*HTTP\/1\.1 408 [^]*"request_timeout"/);
  }
  assert.equal(house.stored().length, 2);
});

test("a file that comes a few bytes at a time, or not at all, ends in 408 and leaves nothing", async () => {
  const before = house.stored().length;
  for (const kind of ["body", "form"] as const) {
    for (const everyMs of [50, 1_000]) {
      const text = await sendSlowly(kind, { pieceBytes: 10, everyMs, forMs: 5_000 });
      assert.match(text, /^HTTP\/1\.1 408 [^]*"request_timeout"/);
    }
  }
  assert.equal(house.stored().length, before);
  assert.deepEqual(house.errors, []);
});

test("what came quickly may rest, though not for longer than a client may stall", async () => {
  const socket = net.connect({ port: house.port, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (bytes) => (text += bytes.toString()));
  const closed = once(socket, "close");
  const bytes = "x".repeat(100_000);
  const lines = [`Authorization: Bearer ${ada.key}`, "Content-Type: a/b", "Content-Length: 100002"];
  socket.write(rawRequest("POST /v1/files", lines));
  socket.write(bytes);
  await pause(1_000);
  socket.write("y");
  await pause(1_000);
  assert.equal(text, "");
  await closed;
  assert.match(text, /^HTTP\/1\.1 408 /);
});
