import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { outcomeOf, startSite } from "../../tests/support/egress-sites.ts";
import type { Site } from "../../tests/support/egress-sites.ts";
import { createEgress } from "./egress.ts";

let site: Site;
let other: Site;
before(async () => {
  site = await startSite((_, response) => void response.end("here"));
  other = await startSite((_, response) => void response.end("there"));
});
after(async () => {
  await site.stop();
  await other.stop();
});

/** How each URL ends with this list; every name leads to 127.0.0.1. */
async function outcomes(
  allowed: readonly string[],
  urls: readonly string[],
): Promise<readonly (string | number)[]> {
  const egress = createEgress({ allowed, lookup: async () => ["127.0.0.1"] });
  const all = urls.map((url) => outcomeOf(egress.fetch({ url, maxBytes: 100, timeoutMs: 5_000 })));
  return Promise.all(all);
}

const refused = "url_not_allowed";

test("nothing private is open without the operator's list", async () => {
  const urls = [`${site.origin}/`, `http://localhost:${site.port}/`, `http://example.com:${site.port}/`];
  assert.deepEqual(await outcomes([], urls), [refused, refused, refused]);
  assert.equal(site.connections(), 0);
});

test("an address with a port opens this port of this address, by whichever name it is reached", async () => {
  const urls = [
    `http://127.0.0.1:${site.port}/`,
    `http://0x7f.1:${site.port}/`,
    `http://example.com:${site.port}/`,
    `http://127.0.0.1:${other.port}/`,
    `http://127.0.0.2:${site.port}/`,
    `http://[::ffff:127.0.0.1]:${site.port}/`,
    `http://localhost:${site.port}/`,
  ];
  const ends = await outcomes([`127.0.0.1:${site.port}`], urls);
  assert.deepEqual(ends, [200, 200, 200, refused, refused, refused, refused]);
  assert.equal(other.connections(), 0);
});

test("an address or a range without a port opens all ports of the web there, and no others", async () => {
  const urls = [
    `http://127.0.0.1:${site.port}/`,
    `http://127.0.0.1:${other.port}/`,
    `http://example.com:${other.port}/`,
    "http://127.0.0.1:6379/",
    "http://127.0.0.1:22/",
    `http://10.0.0.1:${site.port}/`,
    `http://[::1]:${site.port}/`,
  ];
  const ends = [200, 200, 200, refused, refused, refused, refused];
  for (const line of ["127.0.0.1", "127.0.0.0/8", "127.0.0.1/32"]) {
    assert.deepEqual(await outcomes([line], urls), ends, line);
  }
});

test("a name opens wherever it leads, and neither names below it nor the address itself", async () => {
  const urls = [
    `http://receiver:${site.port}/`,
    `http://RECEIVER.:${site.port}/`,
    `http://receiver:${other.port}/`,
    `http://a.receiver:${site.port}/`,
    `http://receiver.example.com:${site.port}/`,
    `http://127.0.0.1:${site.port}/`,
  ];
  assert.deepEqual(await outcomes(["receiver"], urls), [200, 200, 200, refused, refused, refused]);
  const only = [200, 200, refused, refused, refused, refused];
  assert.deepEqual(await outcomes([`Receiver:${site.port}`], urls), only);
});

test("a line with a port opens even another service's port, for this host alone", () => {
  const egress = createEgress({
    allowed: ["search.internal:9200", "10.0.0.5:9200", "[fd00::5]:9200", "10.1.0.0/16"],
  });
  const urls = ["http://search.internal:9200/", "https://10.0.0.5:9200/", "http://[fd00:0::5]:9200/"];
  for (const url of urls) egress.check(url);
  for (const host of ["example.com", "10.0.0.6", "10.1.0.1", "[fd00::6]", "x.search.internal"]) {
    assert.throws(() => egress.check(`http://${host}:9200/`), { code: refused }, host);
  }
  assert.throws(() => egress.check("http://search.internal/"), { code: refused });
  egress.check("http://10.1.2.3:8080/");
});

test("an IPv6 address may be written with or without brackets", () => {
  for (const line of ["::1", "[::1]", "0:0:0:0:0:0:0:1", "::1/128"]) {
    const egress = createEgress({ allowed: [line] });
    egress.check("http://[::1]:8080/");
    assert.throws(() => egress.check("http://[::2]:8080/"), { code: refused }, line);
  }
});

test("a line that cannot be read is an error that names it, when the list is read", () => {
  const lines = [
    "",
    "http://receiver/",
    "a b",
    "10.0.0.0/33",
    "10.0.0/8",
    "receiver:port",
    "a/b",
    "user@host",
    "*",
    "[::1",
  ];
  for (const line of [...lines, "host:99999"]) {
    assert.throws(
      () => createEgress({ allowed: [line] }),
      new RegExp(`: ${line.replaceAll(/[[*]/g, "\\$&")}$`),
    );
  }
});

test("a name that the operator listed is found as the system finds it, hosts file included", async () => {
  const egress = createEgress({ allowed: [`localhost:${site.port}`] });
  const url = `http://localhost:${site.port}/`;
  const { bytes } = await egress.fetch({ url, maxBytes: 100, timeoutMs: 5_000 });
  assert.equal(bytes.toString(), "here");
});
