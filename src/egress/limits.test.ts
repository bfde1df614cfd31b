import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, afterEach, test } from "node:test";
import zlib from "node:zlib";
import { eventually } from "../../tests/support/fake-upstream.ts";
import { outcomeOf, startRawSite, startSite, writeForEver } from "../../tests/support/egress-sites.ts";
import type { Listener, Site, SiteAnswer } from "../../tests/support/egress-sites.ts";
import { createEgress, EgressFailure } from "./egress.ts";
import type { EgressRequest } from "./egress.ts";

const mebibyte = 1024 * 1024;
const maxBytes = 2 * mebibyte;

const egress = createEgress({
  allowed: ["127.0.0.1"],
  lookup: () => new Promise(() => undefined),
  stallMs: 300,
});
let listeners: Listener[] = [];

afterEach(async () => {
  await Promise.all(listeners.map((listener) => listener.stop()));
  listeners = [];
});
after(() => egress.stop());

async function siteThat(answer: SiteAnswer): Promise<Site> {
  const site = await startSite(answer);
  listeners.push(site);
  return site;
}

/** Writes these bytes as soon as it is asked. */
async function siteSaying(bytes: string | Buffer, then?: (socket: Socket) => void): Promise<string> {
  const site = await startRawSite((socket) =>
    socket.once("data", () => socket.write(bytes, () => (then ? then(socket) : socket.end()))),
  );
  listeners.push(site);
  return site.origin;
}

function request(url: string, more: Partial<EgressRequest> = {}): EgressRequest {
  return { url, maxBytes, timeoutMs: 20_000, ...more };
}

/** How it ended and how many bytes came out before. */
async function streamed(url: string, more: Partial<EgressRequest> = {}): Promise<[string, number]> {
  let bytes = 0;
  try {
    const { body } = await egress.stream(request(url, more));
    for await (const piece of body) bytes += piece.length;
  } catch (error) {
    assert.ok(error instanceof EgressFailure, String(error));
    return [error.kind, bytes];
  }
  return ["whole", bytes];
}

test("F-05 a body that says it is too large is refused before it is read", async () => {
  const site = await siteThat(async (_, response) => {
    response.writeHead(200, { "content-length": 10 * 1024 ** 3 });
    await writeForEver(response, Buffer.alloc(65_536));
  });
  assert.deepEqual(await streamed(site.origin), ["too_large", 0]);
  await eventually(() => site.open() === 0);
});

test("F-05 a body without end is cut at the accepted size, and its connection closed", async () => {
  const site = await siteThat((_, response) => writeForEver(response, Buffer.alloc(65_536)));
  const [outcome, bytes] = await streamed(site.origin);
  assert.equal(outcome, "too_large");
  assert.ok(bytes <= maxBytes && bytes > maxBytes - 256 * 1024, `${bytes}`);
  await eventually(() => site.open() === 0);
  assert.ok(site.sentBytes() < maxBytes + 16 * mebibyte, `${site.sentBytes()}`);
});

test("F-05 a body of exactly the accepted size is whole, and one byte more is too large", async () => {
  const site = await siteThat((asking, response) => {
    const size = maxBytes + Number(asking.url?.slice(1));
    if (asking.headers["x-gzip"] === undefined) response.end(Buffer.alloc(size));
    else response.writeHead(200, { "content-encoding": "gzip" }).end(zlib.gzipSync(Buffer.alloc(size)));
  });
  for (const headers of [{}, { "x-gzip": "1" }]) {
    assert.deepEqual(await streamed(`${site.origin}/0`, { headers }), ["whole", maxBytes]);
    const [outcome, bytes] = await streamed(`${site.origin}/1`, { headers });
    assert.equal(outcome, "too_large");
    assert.ok(bytes <= maxBytes);
  }
});

const bombs = {
  gzip: () => zlib.gzipSync(Buffer.alloc(64 * mebibyte)),
  deflate: () => zlib.deflateSync(Buffer.alloc(64 * mebibyte)),
  br: () =>
    zlib.brotliCompressSync(Buffer.alloc(64 * mebibyte), {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
    }),
  zstd: () => zlib.zstdCompressSync(Buffer.alloc(64 * mebibyte)),
};

for (const [encoding, make] of Object.entries(bombs)) {
  test(`F-05 a bomb in ${encoding} ends at the accepted size`, async () => {
    const bomb = make();
    const site = await siteThat((_, response) => {
      response.writeHead(200, { "content-encoding": encoding });
      return writeForEver(response, bomb);
    });
    const [outcome, bytes] = await streamed(site.origin);
    assert.equal(outcome, "too_large");
    assert.ok(bytes <= maxBytes, `${bytes}`);
    await eventually(() => site.open() === 0);
  });
}

test("F-05 padding that decodes to nothing is cut as well", async () => {
  const [head, empty] = [zlib.gzipSync("").subarray(0, 10), Buffer.from([0, 0, 0, 0xff, 0xff])];
  const site = await siteThat(async (_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    response.write(head);
    await writeForEver(response, Buffer.concat(Array.from({ length: 10_000 }, () => empty)));
  });
  assert.deepEqual(await streamed(site.origin), ["too_large", 0]);
  await eventually(() => site.open() === 0);
});

test("F-05 a zstd window above 8 MB, which would take that much memory, is not opened", async () => {
  const params = { [zlib.constants.ZSTD_c_windowLog]: 27 };
  const body = zlib.zstdCompressSync(Buffer.alloc(16 * mebibyte), { params });
  const site = await siteThat(
    (_, response) => void response.writeHead(200, { "content-encoding": "zstd" }).end(body),
  );
  assert.deepEqual(await streamed(site.origin, { maxBytes: 64 * mebibyte }), ["unreadable", 0]);
});

test("F-05 headers above 64 KB are refused", async () => {
  const fits = await siteSaying(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(60_000)}\r\ncontent-length: 0\r\n\r\n`);
  assert.equal(await outcomeOf(egress.fetch(request(fits))), 200);
  const large = await siteSaying(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(70_000)}\r\ncontent-length: 0\r\n\r\n`);
  assert.equal(await outcomeOf(egress.fetch(request(large))), "too_large");
});

test("F-05 one byte at a time ends with the time of the request", async () => {
  const drip = (socket: Socket): void => {
    const timer = setInterval(() => socket.write("x"), 50);
    socket.on("close", () => clearInterval(timer));
  };
  const begun = performance.now();
  const body = await siteSaying("HTTP/1.1 200 OK\r\n\r\n", drip);
  const [outcome, bytes] = await streamed(body, { timeoutMs: 600 });
  assert.equal(outcome, "timeout");
  assert.ok(bytes > 0);
  const head = await siteSaying("HTTP/1.1 200 OK\r\nx: ", drip);
  assert.deepEqual(await streamed(head, { timeoutMs: 600 }), ["timeout", 0]);
  assert.ok(performance.now() - begun < 8_000);
  await eventually(() => listeners.every((listener) => listener.open() === 0));
});

test("F-05 the time counts redirects, names that are not answered and a connection that says nothing", async () => {
  const slow = await siteThat((_, response) => {
    const timer = setTimeout(() => response.writeHead(302, { location: "/" }).end(), 150);
    response.on("close", () => clearTimeout(timer));
  });
  const silent = await siteSaying("", () => undefined);
  const secure = silent.replace("http:", "https:");
  for (const url of [slow.origin, silent, secure, "http://unanswered.test/"]) {
    const begun = performance.now();
    assert.deepEqual(await streamed(url, { timeoutMs: 400 }), ["timeout", 0], url);
    const took = performance.now() - begun;
    assert.ok(took >= 390 && took < 5_000, `${url} ${took}`);
  }
  await eventually(() => listeners.every((listener) => listener.open() === 0));
});

test("F-05 a body that stands still ends before the time of the request", async () => {
  const site = await siteSaying("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome", () => undefined);
  const begun = performance.now();
  assert.deepEqual(await streamed(site), ["timeout", 4]);
  assert.ok(performance.now() - begun < 10_000);
});

test("a consumer that takes its time is no stall", async () => {
  const size = 4 * mebibyte;
  const site = await siteThat((_, response) => void response.end(Buffer.alloc(size)));
  const { body } = await egress.stream(request(site.origin, { maxBytes: size }));
  let bytes = 0;
  for await (const piece of body) {
    if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 1_000));
    bytes += piece.length;
  }
  assert.equal(bytes, size);
});

test("what is no HTTP, not the encoding it claims, or broken off is unreadable", async () => {
  const gzip = zlib.gzipSync("hello, hello, hello");
  const encoded = (name: string, body: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: ${name}\r\nconnection: close\r\n\r\n`),
      body,
    ]);
  const answers: readonly (string | Buffer)[] = [
    "SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ...["gzip", "br", "zstd", "deflate"].map((name) => encoded(name, Buffer.from("plain text, not encoded"))),
    ...["gzip, gzip", "br, gzip", "aes128gcm"].map((name) => encoded(name, zlib.gzipSync(gzip))),
    encoded("gzip", gzip.subarray(0, -9)),
  ];
  for (const answer of answers) {
    const [outcome] = await streamed(await siteSaying(answer));
    assert.equal(outcome, "unreadable", answer.toString("latin1"));
  }
});

test("a reset is no end, also where only the close tells the end of a body", async () => {
  const reset = (socket: Socket): void => void setTimeout(() => socket.resetAndDestroy(), 50);
  for (const length of ["", "content-length: 100\r\n", "transfer-encoding: chunked\r\n"]) {
    const site = await siteSaying(`HTTP/1.1 200 OK\r\n${length}\r\n5\r\nhello\r\n`, reset);
    const [outcome] = await streamed(site);
    assert.equal(outcome, "unreadable", length);
  }
  const closed = await siteSaying("HTTP/1.1 200 OK\r\n\r\nhello");
  assert.deepEqual(await streamed(closed), ["whole", 5]);
});

test("no listener, no name and a connection that closes before an answer are refused", async () => {
  const gone = await siteSaying("");
  await listeners.pop()?.stop();
  assert.equal(await outcomeOf(egress.fetch(request(gone))), "refused");
  const closing = await startRawSite((socket) => socket.end());
  const hanging = await startRawSite((socket) => socket.once("data", () => socket.resetAndDestroy()));
  listeners.push(closing, hanging);
  for (const { origin } of [closing, hanging]) {
    assert.equal(await outcomeOf(egress.fetch(request(origin))), "refused");
    assert.equal(await outcomeOf(egress.fetch(request(origin.replace("http:", "https:")))), "refused");
  }
  const nameless = createEgress({ lookup: () => Promise.reject(new Error("ENOTFOUND")) });
  assert.equal(await outcomeOf(nameless.fetch(request("http://nowhere.test/"))), "refused");
});
