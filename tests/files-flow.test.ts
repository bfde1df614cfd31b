import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { ReadStream } from "node:fs";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, afterEach, before, describe, test } from "node:test";
import type { FileStore } from "../src/files/file-store.ts";
import { ask, startFilesHouse } from "./support/files-house.ts";
import type { FilesCustomer, FilesHouse } from "./support/files-house.ts";
import { rawRequest } from "./support/raw-http.ts";

/** Large files and slow, leaving or failing ends: nothing is kept in memory, and nothing is left open. */

let house: FilesHouse;
let ada: FilesCustomer;
/** Set by a test: the next body that is opened fails behind this many bytes. */
let failBehind: number | undefined;

before(async () => {
  house = await startFilesHouse({ store: failingWhenTold });
  ada = await house.customer("pro");
});
after(() => house.stop());
afterEach(() => until(() => house.opened.every((body) => body.destroyed), "a body was left open"));

async function until(isSo: () => boolean, label: string): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!isSo() && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isSo(), label);
}

function failingWhenTold(store: FileStore): FileStore {
  return {
    put: (id, body, limits) => store.put(id, body, limits),
    remove: (id) => store.remove(id),
    close: () => store.close(),
    async open(id, range) {
      const opened = await store.open(id, range);
      const limit = failBehind;
      if (opened === undefined || limit === undefined) return opened;
      failBehind = undefined;
      const failing = async function* (): AsyncGenerator<Buffer, void, undefined> {
        let sent = 0;
        for await (const bytes of opened.body) {
          yield bytes;
          sent += bytes.length;
          if (sent >= limit) throw new Error("the disk is gone");
        }
      };
      return { ...opened, body: Readable.from(failing()) };
    },
  };
}

/** The same megabyte over and over, with its number in it. */
function* generated(megabytes: number): Generator<Buffer, void, undefined> {
  for (let count = 0; count < megabytes; count += 1) {
    const piece = Buffer.allocUnsafe(1024 * 1024).fill(count % 251);
    piece.writeUInt32BE(count);
    yield piece;
  }
}

function digestOf(megabytes: number): string {
  const hash = createHash("sha256");
  for (const piece of generated(megabytes)) hash.update(piece);
  return hash.digest("hex");
}

type Way = { readonly boundary?: string; readonly to?: FilesHouse; readonly by?: FilesCustomer };
type Uploaded = { readonly id: string; readonly url: string };

async function upload(megabytes: number, { boundary, to = house, by = ada }: Way = {}): Promise<Uploaded> {
  const type = boundary === undefined ? "a/b" : `multipart/form-data; boundary=${boundary}`;
  const request = http.request(`${to.url}/v1/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${by.key}`, "content-type": type },
  });
  const answered = once(request, "response");
  const around = function* (): Generator<Buffer, void, undefined> {
    if (boundary !== undefined)
      yield Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`);
    yield* generated(megabytes);
    if (boundary !== undefined) yield Buffer.from(`\r\n--${boundary}--\r\n`);
  };
  await pipeline(around(), request);
  const [response]: IncomingMessage[] = await answered;
  let text = "";
  for await (const part of response ?? []) text += String(part);
  assert.equal(response?.statusCode, 200, text);
  return JSON.parse(text);
}

async function download(url: string): Promise<string> {
  const [response]: IncomingMessage[] = await once(http.get(url), "response");
  assert.ok(response !== undefined);
  const hash = createHash("sha256");
  for await (const part of response) hash.update(part);
  return hash.digest("hex");
}

/** The most that resident memory grew by meanwhile. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  await work();
  clearInterval(timer);
  return most - before;
}

test("memory stays flat while 300 MB come in, in both forms, and go out", async () => {
  const whole = digestOf(300);
  // What a first request needs once: code, buffers, the pools of the parser.
  await download((await upload(50, { boundary: "warm" })).url);
  const growth = await growthDuring(async () => {
    const [inForm, asBody] = [await upload(300, { boundary: "b" }), await upload(150)];
    assert.equal(await download(inForm.url), whole);
    for (const { id } of [inForm, asBody])
      await ask(`${house.url}/v1/files/${id}`, ada.key, { method: "DELETE" });
  });
  // The client, its generator and the server share this process.
  assert.ok(growth < 100_000_000, `memory grew by ${Math.round(growth / 1_000_000)} MB`);
});

/** A connection that has asked for a file and reads nothing. */
async function askAndWait(url: string): Promise<net.Socket> {
  const { port, pathname, search } = new URL(url);
  const socket = net.connect({ port: Number(port), host: "127.0.0.1" });
  await once(socket, "connect");
  socket.pause();
  socket.on("error", () => undefined);
  socket.write(rawRequest(`GET ${pathname}${search}`, []));
  return socket;
}

test("a client that leaves closes what the store has open, and nobody is alarmed", async () => {
  const file = await upload(100);
  for (let round = 0; round < 20; round += 1) {
    const opened = house.opened.length;
    const socket = await askAndWait(file.url);
    await until(() => house.opened.length > opened, "nothing was opened");
    if (round % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
    await until(() => house.opened.every((body) => body.destroyed), "the body stays open");
  }
  assert.deepEqual(house.errors, []);
  const digest = await download(file.url);
  assert.equal(digest, digestOf(100));
});

test("a store that fails half way cuts the connection: a part never passes for the whole", async () => {
  const file = await upload(20);
  failBehind = 5_000_000;
  await assert.rejects(download(file.url), { code: "ECONNRESET" });
  await until(() => house.errors.length === 1, "nobody learns of it");
  house.errors.length = 0;
  assert.equal(await download(file.url), digestOf(20));
});

test("many files go in and out at once", async () => {
  const files = await Promise.all(Array.from({ length: 20 }, () => upload(2, { boundary: "b" })));
  const wanted = digestOf(2);
  assert.deepEqual(
    await Promise.all(files.map(({ url }) => download(url))),
    files.map(() => wanted),
  );
});

describe("clients that stall", () => {
  let impatient: FilesHouse;
  let bob: FilesCustomer;
  before(async () => {
    impatient = await startFilesHouse({ stalledClientMs: 2_000 });
    bob = await impatient.customer("pro");
  });
  after(() => impatient.stop());

  test("a file is read no faster than its client takes it, and a client that takes nothing is cut off", async () => {
    const file = await upload(60, { to: impatient, by: bob });
    const socket = await askAndWait(file.url);
    await until(() => impatient.opened.length === 1, "nothing was opened");
    const [body] = impatient.opened;
    await until(() => body?.destroyed === true, "the client was waited for without end");
    assert.ok(body instanceof ReadStream);
    // What the buffers of two sockets take; far from all.
    assert.ok(body.bytesRead < 40_000_000, `${body.bytesRead} bytes were read`);
    socket.destroy();
    assert.deepEqual(impatient.errors, []);
  });

  test("an upload whose client stops sending is cut off and leaves nothing", async () => {
    const before = impatient.stored().length;
    const socket = net.connect({ port: impatient.port, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.on("error", () => undefined);
    const lines = [`Authorization: Bearer ${bob.key}`, "Content-Type: a/b", "Content-Length: 1000000"];
    socket.write(rawRequest("POST /v1/files", lines));
    socket.write("x".repeat(1000));
    await until(() => impatient.stored().length > before, "the upload never began");
    await until(() => impatient.stored().length === before, "the upload is still there");
    socket.destroy();
  });
});
