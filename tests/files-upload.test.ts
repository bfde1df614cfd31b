import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import { ask, startFilesHouse } from "./support/files-house.ts";
import type { FilesCustomer, FilesHouse } from "./support/files-house.ts";
import { rawRequest, sendRaw } from "./support/raw-http.ts";

/** How files come in: as the body or in a form, from the official SDK and from clients that do it wrong. */

const freeBytes = 20 * 1024 * 1024;
let house: FilesHouse;
let ada: FilesCustomer;
let client: OpenAI;

before(async () => {
  house = await startFilesHouse();
  ada = await house.customer();
  client = new OpenAI({ baseURL: `${house.url}/v1`, apiKey: ada.key, maxRetries: 0 });
});
after(() => house.stop());
afterEach(async () => {
  for await (const file of client.files.list()) await client.files.delete(file.id);
  assert.deepEqual(house.stored(), [], "bytes of a file that nobody sees are left");
  assert.deepEqual(house.errors, []);
});

function post(body: RequestInit["body"], headers: Record<string, string> = {}, query = "") {
  return ask(`${house.url}/v1/files${query}`, ada.key, {
    method: "POST",
    headers,
    ...(body ? { body } : {}),
  });
}

test("the official SDK uploads, lists, reads, downloads and deletes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skillboss-upload-"));
  const path = join(folder, "Grüße 🎈.bin");
  const bytes = randomBytes(3_000_000);
  writeFileSync(path, bytes);
  const sources = [
    await toFile(bytes, "Grüße 🎈.bin"),
    createReadStream(path),
    new File([bytes], "Grüße 🎈.bin", { type: "application/x-unknown" }),
  ];
  for (const source of sources) {
    const file = await client.files.create({ file: source, purpose: "assistants" });
    assert.equal(file.object, "file");
    assert.equal(file.bytes, bytes.length);
    assert.equal(file.filename, "Grüße 🎈.bin");
    assert.deepEqual(await client.files.retrieve(file.id), file);
    assert.equal((await client.files.waitForProcessing(file.id)).status, "processed");
    const content = await client.files.content(file.id);
    assert.ok(Buffer.from(await content.arrayBuffer()).equals(bytes));
  }
  rmSync(folder, { recursive: true });
  const listed: string[] = [];
  for await (const file of client.files.list({ limit: 2 })) listed.push(file.id);
  assert.equal(listed.length, 3);
  const [first = ""] = listed;
  assert.deepEqual(await client.files.delete(first), { id: first, object: "file", deleted: true });
  await assert.rejects(client.files.retrieve(first), OpenAI.NotFoundError);
});

test("the same bytes are the same file, in a form and as the body", async () => {
  const text = "a,b\n1,2\n";
  const form = new FormData();
  form.set("purpose", "user_data");
  form.set("expires_after[anchor]", "created_at");
  form.set("file", new File([text], "t.csv", { type: "text/csv" }));
  const inForm = (await post(form)).body;
  const asBody = (await post(text, { "content-type": "text/csv" }, "?name=t.csv")).body;
  const known = ({ bytes, filename, content_type }: typeof inForm) => ({ bytes, filename, content_type });
  assert.deepEqual(known(inForm), { bytes: 8, filename: "t.csv", content_type: "text/csv" });
  assert.deepEqual(known(asBody), known(inForm));
});

test("a body has its name from the query or a header, in any alphabet, or from us", async () => {
  const text = { "content-type": "text/plain" };
  const named = async (headers: Record<string, string>, query = "") =>
    (await post("x", { ...text, ...headers }, query)).body.filename;
  assert.equal(await named({}, `?name=${encodeURIComponent("報告 100%.txt")}`), "報告 100%.txt");
  assert.equal(await named({ "x-file-name": encodeURIComponent("報告 100%.txt") }), "報告 100%.txt");
  assert.equal(await named({ "x-file-name": "100%.txt" }), "100%.txt");
  // As curl sends it: the bytes of UTF-8.
  assert.equal(await named({ "x-file-name": Buffer.from("報告.txt").toString("latin1") }), "報告.txt");
  assert.equal(await named({ "x-file-name": "header.txt" }, "?name=query.txt"), "query.txt");
  assert.match(await named({}), /^file_[0-9a-f]{32}\.txt$/);
  assert.match(await named({}, "?name=.."), /^file_[0-9a-f]{32}\.txt$/);
  assert.equal((await post(new Uint8Array(Buffer.from("x")))).status, 200, "without a content type");
});

test("what is neither a file nor a form with one is refused, and says how to do it", async () => {
  const refused = async (status: number, body: RequestInit["body"], headers: Record<string, string> = {}) => {
    const answer = await post(body, headers);
    assert.equal(answer.status, status, JSON.stringify([headers, answer.body]));
    return answer.body.error.message;
  };
  assert.match(await refused(415, new URLSearchParams({ file: "x" })), /multipart\/form-data/);
  await refused(415, "x", { "content-type": "multipart/mixed; boundary=x" });
  await refused(415, "x", { "content-type": "multipart/form-data" });
  await refused(415, "x", { "content-type": 'multipart/form-data; boundary=""' });
  await refused(415, "x", { "content-type": `multipart/form-data; boundary=${"x".repeat(71)}` });
  await refused(415, "x", { "content-type": "image" });
  await refused(415, "x", { "content-type": "text/plain", "content-encoding": "gzip" });
  await refused(400, "x", { "content-type": "multipart/form-data; boundary=x" });
  assert.match(await refused(400, "", { "content-type": "text/plain" }), /empty/);
  const form = (...parts: readonly (readonly [string, string | File])[]) => {
    const made = new FormData();
    for (const [name, value] of parts) made.append(name, value);
    return made;
  };
  const file = new File(["x"], "x.txt");
  assert.match(await refused(400, form(["purpose", "batch"])), /no part `file`/);
  assert.match(await refused(400, form(["file", new File([], "x")])), /empty/);
  assert.match(await refused(400, form(["file", file], ["file", file])), /one file/);
  await refused(413, form(["purpose", "x".repeat(70_000)], ["file", file]));
  await refused(413, form(["file", file], ["purpose", "x".repeat(70_000)]));
  await refused(
    400,
    form(...Array.from({ length: 30 }, (_, index) => [`field${index}`, "x"] as const), ["file", file]),
  );
});

test("a form that is cut off behind its file leaves no file", async () => {
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello';
  for (const end of ["", "\r\n", "\r\n--b", "\r\n--b\r\n", "\r\n--b-"]) {
    const answer = await post(head + end, { "content-type": "multipart/form-data; boundary=b" });
    assert.equal(answer.status, 400, JSON.stringify(end));
  }
  const whole = await post(`${head}\r\n--b--`, { "content-type": 'multipart/form-data; boundary="b"' });
  assert.equal(whole.body.bytes, 5);
});

function headers(...more: readonly string[]): readonly string[] {
  return [`Authorization: Bearer ${ada.key}`, "Content-Type: application/x-data", ...more];
}

test("a file that is announced too large is refused before it is sent", async () => {
  const announced = rawRequest(
    "POST /v1/files",
    headers(`Content-Length: ${freeBytes + 1}`, "Expect: 100-continue"),
  );
  const refused = await sendRaw(house.port, announced);
  assert.deepEqual([refused.statuses, refused.isClosed], [[413], true]);
  assert.equal(JSON.parse(refused.body).error.param, "file");
  const bytes = Buffer.alloc(1000, 1);
  const asked = headers(`Content-Length: ${bytes.length}`, "Expect: 100-continue", "Connection: close");
  const taken = await sendRaw(house.port, rawRequest("POST /v1/files", asked, bytes));
  assert.deepEqual(taken.statuses, [100, 200]);
});

/** Sends pieces as fast as they are taken, until there is an answer. */
async function pour(lines: readonly string[], first: string, piece: Buffer) {
  const socket = net.connect({ port: house.port, host: "127.0.0.1" });
  await once(socket, "connect");
  let answer = "";
  let sentBytes = 0;
  socket.on("data", (part) => (answer += part.toString()));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(rawRequest("POST /v1/files", lines));
  socket.write(first);
  while (!socket.destroyed && answer === "" && sentBytes < 30 * freeBytes) {
    sentBytes += piece.length;
    if (!socket.write(piece)) await Promise.race([once(socket, "drain"), closed]).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return { answer, sentBytes };
}

test("a file without an announced length is refused when it passes the limit, and the client can read that", async () => {
  const chunk = (bytes: Buffer) =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
  const piece = chunk(Buffer.alloc(65_536, 1));
  const boundary = "Content-Type: multipart/form-data; boundary=b";
  const authorization = `Authorization: Bearer ${ada.key}`;
  const opening = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
  for (const [lines, first] of [
    [headers("Transfer-Encoding: chunked"), ""],
    [[authorization, boundary, "Transfer-Encoding: chunked"], chunk(Buffer.from(opening)).toString()],
  ] as const) {
    const { answer, sentBytes } = await pour(lines, first, piece);
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /"code":"request_too_large"/);
    assert.ok(sentBytes > freeBytes, `${sentBytes} bytes were sent`);
    // Besides the limit only what lies in the buffers of two sockets.
    assert.ok(sentBytes < freeBytes + 20_000_000, `${sentBytes} bytes were sent`);
  }
});

test("the plan of the account decides how large a file may be, to the byte", async () => {
  const starter = await house.customer("starter");
  const body = new Uint8Array(freeBytes + 1);
  const send = (key: string, bytes: Uint8Array<ArrayBuffer>) =>
    ask(`${house.url}/v1/files`, key, { method: "POST", headers: { "content-type": "a/b" }, body: bytes });
  assert.equal((await send(ada.key, body)).status, 413);
  assert.equal((await send(ada.key, body.subarray(1))).status, 200);
  const form = new FormData();
  form.set("file", new File([body.subarray(1)], "a"));
  assert.equal((await post(form)).status, 200, "the form around a file does not count");
  const large = await send(starter.key, body);
  assert.equal(large.body.bytes, freeBytes + 1);
  assert.equal(large.body.expires_at - large.body.created_at, 7 * 86_400);
  await ask(`${house.url}/v1/files/${large.body.id}`, starter.key, { method: "DELETE" });
});

test("an upload that its client breaks off leaves nothing", async () => {
  for (const lines of [headers("Content-Length: 1000000"), headers("Transfer-Encoding: chunked")]) {
    const socket = net.connect({ port: house.port, host: "127.0.0.1" });
    await once(socket, "connect");
    socket.write(rawRequest("POST /v1/files", lines));
    socket.write(`100\r\n${"x".repeat(256)}\r\n`);
    const giveUpAt = performance.now() + 10_000;
    const has = async (count: number): Promise<boolean> => {
      while (house.stored().length !== count && performance.now() < giveUpAt)
        await new Promise((resolve) => setTimeout(resolve, 10));
      return house.stored().length === count;
    };
    assert.ok(await has(1), "the upload never began");
    socket.destroy();
    assert.ok(await has(0), "the upload is still there");
  }
});

test("a connection serves on after an upload", async () => {
  const one = rawRequest("POST /v1/files", headers("Content-Length: 5"), "hello");
  const two = rawRequest("GET /v1/files", headers("Connection: close"));
  const answer = await sendRaw(house.port, Buffer.concat([one, one, two]));
  assert.deepEqual(answer.statuses, [200, 200, 200]);
  assert.match(answer.text, /"has_more":false/);
});
