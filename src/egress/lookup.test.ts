import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startNameServer } from "../../tests/support/egress-name-server.ts";
import type { NameAnswer, NameServer } from "../../tests/support/egress-name-server.ts";
import { outcomeOf, startCanary, startSite } from "../../tests/support/egress-sites.ts";
import { eventually } from "../../tests/support/fake-upstream.ts";
import { createEgress } from "./egress.ts";
import { lookupInDns } from "./lookup.ts";
import type { Lookup } from "./lookup.ts";

let server: NameServer;
let lookup: Lookup;
let answer: (name: string, kind: "A" | "AAAA") => NameAnswer;
let seen = 0;
const never = new AbortController().signal;

before(async () => {
  server = await startNameServer((name, kind) => answer(name, kind));
  lookup = lookupInDns([server.address]);
});
beforeEach(() => {
  seen = server.asked.length;
});
after(() => server.stop());

test("a name has all its addresses, of both families, and is asked for as it is", async () => {
  answer = () => ["93.184.216.34", "2606:4700::1", "93.184.216.35"];
  assert.deepEqual(await lookup("example.com", never), ["93.184.216.34", "93.184.216.35", "2606:4700::1"]);
  assert.deepEqual(server.asked.slice(seen).toSorted(), ["A example.com", "AAAA example.com"]);
});

test("one family is enough, also when the other fails", async () => {
  answer = () => ["93.184.216.34"];
  assert.deepEqual(await lookup("four.test", never), ["93.184.216.34"]);
  answer = (_, kind) => (kind === "A" ? "failure" : ["2606:4700::1"]);
  assert.deepEqual(await lookup("six.test", never), ["2606:4700::1"]);
});

test("a name that is not there is not completed with this network's domains", async () => {
  answer = () => "no such name";
  for (const name of ["nowhere.test", "a.b.nowhere.test"]) {
    await assert.rejects(lookup(name, never), { code: "ENOTFOUND" });
  }
  const names = server.asked.slice(seen).map((asked) => asked.split(" ")[1]);
  assert.deepEqual(new Set(names), new Set(["nowhere.test", "a.b.nowhere.test"]));
  answer = () => [];
  await assert.rejects(lookup("empty.test", never), { code: "ENODATA" });
});

test("a signal ends the asking", async () => {
  answer = () => "silence";
  const leaving = new AbortController();
  const begun = performance.now();
  const asking = lookup("silent.test", leaving.signal);
  await eventually(() => server.asked.length > seen);
  leaving.abort();
  await assert.rejects(asking, { code: "ECANCELLED" });
  assert.ok(performance.now() - begun < 2_000);
});

test("F-04 a name server that answers otherwise each time, TTL 0, reaches nothing private", async () => {
  const site = await startSite((_, response) => void response.end("public"), { host: "127.0.0.2" });
  const canary = await startCanary("127.0.0.1", site.port);
  const egress = createEgress({ allowed: ["127.0.0.2"], lookup });
  let asked = 0;
  answer = (_, kind) => {
    if (kind === "AAAA") return [];
    asked += 1;
    return asked % 2 === 1 ? ["127.0.0.2"] : ["127.0.0.1"];
  };
  for (let at = 1; at <= 300; at += 1) {
    const url = `http://rebind.test:${site.port}/`;
    const outcome = await outcomeOf(egress.fetch({ url, maxBytes: 1_000, timeoutMs: 10_000 }));
    assert.equal(outcome, at % 2 === 1 ? 200 : "url_not_allowed");
    assert.equal(asked, at);
  }
  assert.deepEqual([canary.connections(), site.visits.length], [0, 150]);
  await site.stop();
  await canary.stop();
});
