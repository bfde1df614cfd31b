import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import tls from "node:tls";
import zlib from "node:zlib";
import { selfSignedCertificate } from "../../tests/support/egress-certificate.ts";
import { eventually } from "../../tests/support/fake-upstream.ts";
import { outcomeOf, startRawSite, startSite, writeForEver } from "../../tests/support/egress-sites.ts";
import type { Site, SiteAnswer } from "../../tests/support/egress-sites.ts";
import { createEgress } from "./egress.ts";
import type { EgressRequest } from "./egress.ts";

const mebibyte = 1024 * 1024;
const egress = createEgress({ allowed: ["127.0.0.1"], lookup: async () => ["127.0.0.1"] });
const hello: SiteAnswer = (_, response) => void response.end("hello");

let site: Site;
let answer: SiteAnswer;
before(async () => {
  site = await startSite((request, response) => answer(request, response));
});
beforeEach(() => {
  answer = hello;
});
after(async () => {
  await egress.stop();
  await site.stop();
});

function request(more: Partial<EgressRequest> = {}): EgressRequest {
  return { url: `${site.origin}/page?a=b#part`, maxBytes: 100 * mebibyte, timeoutMs: 20_000, ...more };
}

test("a page is fetched with its status, headers, bytes and address", async () => {
  answer = (_, response) => {
    response.writeHead(404, { "Content-Type": "text/plain", "set-cookie": ["a=1", "b=2"], "X-Two": "" });
    response.end("not here");
  };
  const { url, status, headers, bytes } = await egress.fetch(request());
  assert.deepEqual([url, status, bytes.toString()], [`${site.origin}/page?a=b`, 404, "not here"]);
  assert.deepEqual(
    [headers["content-type"], headers["set-cookie"], headers["x-two"]],
    ["text/plain", "a=1, b=2", ""],
  );
  const visit = site.visits.at(-1);
  assert.deepEqual([visit?.method, visit?.path, visit?.body], ["GET", "/page?a=b", ""]);
  assert.deepEqual([visit?.headers.connection, visit?.headers.host], ["close", `127.0.0.1:${site.port}`]);
});

test("a header named __proto__ is a header", async () => {
  const raw = await startRawSite((socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\n\r\nhello")),
  );
  const { headers, bytes } = await egress.fetch(request({ url: raw.origin }));
  assert.equal(bytes.toString(), "hello");
  assert.deepEqual(Object.entries(headers), [["__proto__", "a, b"]]);
  assert.equal(Object.getPrototypeOf(headers), Object.prototype);
  await raw.stop();
});

test("a POST carries its body and its headers, without those that belong to the connection", async () => {
  const body = Buffer.from('{"é":1}');
  const headers = {
    ...{
      "Content-Type": "application/json",
      "Webhook-Id": "msg_1",
      "User-Agent": "Hooks/1",
      Host: "internal",
    },
    ...{
      "Content-Length": "1",
      "Transfer-Encoding": "chunked",
      Connection: "keep-alive",
      Expect: "100-continue",
    },
    ...{ "Proxy-Authorization": "Basic x", TE: "trailers", Upgrade: "h2c" },
  };
  assert.equal(await outcomeOf(egress.fetch(request({ method: "POST", body, headers }))), 200);
  const visit = site.visits.at(-1);
  assert.deepEqual([visit?.method, visit?.body], ["POST", body.toString()]);
  const { host, connection, ...rest } = visit?.headers ?? {};
  assert.deepEqual([host, connection], [`127.0.0.1:${site.port}`, "close"]);
  assert.deepEqual(rest, {
    "accept-encoding": "gzip, br, zstd, deflate",
    "content-length": String(body.length),
    "content-type": "application/json",
    "user-agent": "Hooks/1",
    "webhook-id": "msg_1",
  });
});

test("a header that cannot be sent is a failure, and nothing is sent", async () => {
  const seen = site.visits.length;
  for (const headers of [{ "x-a": "a\r\nx-b: c" }, { "a b": "c" }]) {
    assert.equal(await outcomeOf(egress.fetch(request({ headers }))), "refused");
  }
  assert.equal(site.visits.length, seen);
});

test("a HEAD has headers and no bytes, whatever the headers tell of them", async () => {
  answer = (_, response) =>
    void response.writeHead(200, { "content-length": 10 ** 12, "content-encoding": "gzip" }).end();
  const { status, headers, bytes } = await egress.fetch(request({ method: "HEAD" }));
  assert.deepEqual(
    [status, headers["content-length"], headers["content-encoding"]],
    [200, String(10 ** 12), "gzip"],
  );
  assert.equal(bytes.length, 0);
});

const codings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => zlib.gzipSync(bytes),
  "x-gzip": (bytes) => zlib.gzipSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  "Deflate ": (bytes) => zlib.deflateRawSync(bytes),
};

for (const [name, encode] of Object.entries(codings)) {
  test(`a body in ${name} is decoded, and its headers tell of what came out`, async () => {
    for (const body of [
      Buffer.from("hello"),
      Buffer.concat([randomBytes(mebibyte), Buffer.alloc(mebibyte)]),
    ]) {
      const encoded = encode(body);
      answer = (_, response) =>
        void response
          .writeHead(200, { "content-encoding": name, "content-length": encoded.length })
          .end(encoded);
      const { headers, bytes } = await egress.fetch(request());
      assert.ok(bytes.equals(body));
      const isTold = name === "identity";
      assert.deepEqual(
        [headers["content-encoding"], headers["content-length"]],
        isTold ? [name, String(body.length)] : [undefined, undefined],
      );
    }
    answer = (_, response) => void response.writeHead(200, { "content-encoding": name }).end();
    assert.equal((await egress.fetch(request())).bytes.length, 0);
  });
}

test("a sender is not faster than the consumer, and nothing is lost", async () => {
  const size = 64 * mebibyte;
  const piece = randomBytes(mebibyte);
  answer = async (_, response) => {
    for (let sent = 0; sent < size; sent += piece.length) {
      if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
    }
    response.end();
  };
  const before = site.sentBytes();
  const { body } = await egress.stream(request());
  let bytes = 0;
  for await (const part of body) {
    if (bytes === 0) {
      // What the system's buffers take is sent; then the sender waits as long as the consumer does.
      let last = -1;
      await eventually(() => last === (last = site.sentBytes()) && last > before, 10_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(site.sentBytes() - before < size / 2, `${site.sentBytes() - before}`);
    }
    bytes += part.length;
  }
  assert.equal(bytes, size);
  await eventually(() => site.open() === 0);
});

test("leaving a body early closes its connection", async () => {
  answer = (_, response) => writeForEver(response, Buffer.alloc(65_536));
  const { body } = await egress.stream(request({ maxBytes: Infinity }));
  for await (const part of body) {
    assert.ok(part.length > 0);
    break;
  }
  await eventually(() => site.open() === 0);
});

test("a body that nobody reads is closed when its time is over, and says so when it is read then", async () => {
  answer = (_, response) => writeForEver(response, Buffer.alloc(65_536));
  const { body } = await egress.stream(request({ timeoutMs: 200, maxBytes: Infinity }));
  await eventually(() => site.open() === 0, 5_000);
  await assert.rejects(Array.fromAsync(body), { name: "EgressFailure", kind: "timeout" });
});

test("the signal ends a request in every stage, and its connection", async () => {
  const asking = createEgress({ allowed: ["127.0.0.1"], lookup: () => new Promise(() => undefined) });
  const silent = await startRawSite((socket) => void socket.resume());
  const stages: readonly [string, () => boolean][] = [
    ["http://unanswered.test/", () => true],
    [silent.origin.replace("http:", "https:"), () => silent.open() === 1],
    [silent.origin, () => silent.open() === 1],
  ];
  for (const [url, isThere] of stages) {
    const leaving = new AbortController();
    const outcome = outcomeOf(asking.fetch(request({ url, signal: leaving.signal })));
    await eventually(isThere);
    leaving.abort();
    assert.equal(await outcome, "aborted", url);
    await eventually(() => silent.open() === 0);
  }
  const seen = silent.connections();
  assert.equal(
    await outcomeOf(asking.fetch(request({ url: silent.origin, signal: AbortSignal.abort() }))),
    "aborted",
  );
  assert.equal(silent.connections(), seen);
  await silent.stop();
});

test("the signal ends a body in the middle", async () => {
  answer = (_, response) => writeForEver(response, Buffer.alloc(65_536));
  const leaving = new AbortController();
  const { body } = await egress.stream(request({ signal: leaving.signal, maxBytes: Infinity }));
  const reading = (async () => {
    for await (const part of body) if (part.length > 0) leaving.abort();
  })();
  await assert.rejects(reading, { kind: "aborted" });
  await eventually(() => site.open() === 0);
});

test("a stop aborts what is under way and what comes later", async () => {
  const own = createEgress({ allowed: ["127.0.0.1"] });
  const silent = await startRawSite((socket) => void socket.resume());
  const waiting = [1, 2, 3].map(() => outcomeOf(own.fetch(request({ url: silent.origin }))));
  await eventually(() => silent.open() === 3);
  await own.stop();
  assert.deepEqual(await Promise.all(waiting), ["aborted", "aborted", "aborted"]);
  assert.equal(await outcomeOf(own.fetch(request({ url: silent.origin }))), "aborted");
  assert.equal(silent.connections(), 3);
  await eventually(() => silent.open() === 0);
  await silent.stop();
});

test("over TLS only a certificate for this very host is accepted, and before it nothing is sent", async () => {
  const certificate = selfSignedCertificate(["shop.test", "127.0.0.1"]);
  const secure = await startSite(hello, { certificate });
  const ask = (host: string): Promise<string | number> =>
    outcomeOf(egress.fetch(request({ url: `https://${host}:${secure.port}/` })));
  assert.equal(await ask("shop.test"), "refused");
  assert.equal(await ask("127.0.0.1"), "refused");
  const usual = tls.getCACertificates("default");
  tls.setDefaultCACertificates([...usual, certificate.cert]);
  try {
    assert.equal(await ask("other.test"), "refused");
    assert.equal(await ask("shop.test.evil.test"), "refused");
    assert.equal(secure.visits.length, 0);
    for (const host of ["shop.test", "SHOP.test.", "127.0.0.1"]) assert.equal(await ask(host), 200, host);
    assert.equal(secure.visits.length, 3);
  } finally {
    tls.setDefaultCACertificates(usual);
    await secure.stop();
  }
});

test("requests at once do not disturb each other", async () => {
  answer = (asking, response) => void setTimeout(() => response.end(asking.url), Math.random() * 20);
  const urls = Array.from({ length: 100 }, (_, at) => `${site.origin}/${at}`);
  const answers = await Promise.all(urls.map((url) => egress.fetch(request({ url }))));
  assert.deepEqual(
    answers.map(({ bytes }) => bytes.toString()),
    urls.map((_, at) => `/${at}`),
  );
  await eventually(() => site.open() === 0);
});
