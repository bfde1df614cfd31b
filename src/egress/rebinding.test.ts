import assert from "node:assert/strict";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { after, before, beforeEach, test } from "node:test";
import { outcomeOf, startCanary, startSite } from "../../tests/support/egress-sites.ts";
import type { Canary, Site } from "../../tests/support/egress-sites.ts";
import { planned } from "../../tests/support/plan-scale.ts";
import { dial } from "./dial.ts";
import { createEgress } from "./egress.ts";
import type { Egress } from "./egress.ts";
import { Journey } from "./journey.ts";
import { Judge } from "./judge.ts";

/**
 * A name that changes its mind. 127.0.0.2 plays the public internet, because the operator opened it; the canary has
 * the same port of the private 127.0.0.1.
 */
const open = "127.0.0.2";
const alsoOpen = "127.0.0.3";
const closed = "127.0.0.1";
const tries = 300;

let site: Site;
let canary: Canary;
let egress: Egress;
/** What the name resolves to, the first for the first asking; the last stays. */
let answers: (readonly string[])[] = [];
let lookups = 0;
/** Requests of the system's resolver, which would be a second resolution. */
let systemLookups = 0;
const realLookup = dns.lookup;

before(async () => {
  site = await startSite(
    (request, response) => {
      if (request.url === "/go") response.writeHead(307, { location: "/arrived" }).end();
      else response.end("public");
    },
    { host: open },
  );
  canary = await startCanary(closed, site.port);
  const counting = (...args: Parameters<typeof realLookup>): void => {
    systemLookups += 1;
    realLookup(...args);
  };
  Object.defineProperty(dns, "lookup", { value: counting, configurable: true, writable: true });
  syncBuiltinESMExports();
  egress = createEgress({
    allowed: [open, alsoOpen],
    lookup: async () => {
      lookups += 1;
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    },
  });
});
beforeEach(() => {
  answers = [];
  lookups = 0;
  systemLookups = 0;
});
after(async () => {
  Object.defineProperty(dns, "lookup", { value: realLookup, configurable: true, writable: true });
  syncBuiltinESMExports();
  await egress.stop();
  await site.stop();
  await canary.stop();
});

function ask(path = "/"): Promise<string | number> {
  const url = `http://rebind.test:${site.port}${path}`;
  return outcomeOf(egress.fetch({ url, maxBytes: 1_000, timeoutMs: 10_000 }));
}

function assertNothingLeaked(): void {
  assert.equal(canary.connections(), 0);
  assert.equal(systemLookups, 0);
  assert.ok(site.visits.every(({ localAddress }) => localAddress === open));
}

test("F-04 a name that flips at every asking is connected where it was judged, and asked once for each", async () => {
  for (let at = 0; at < tries; at += 1) {
    answers = at % 2 === 0 ? [[open], [closed]] : [[closed], [open]];
    assert.equal(await ask(), at % 2 === 0 ? 200 : "url_not_allowed");
    assert.equal(lookups, at + 1);
  }
  assert.equal(site.visits.length, tries / 2);
  assertNothingLeaked();
});

test("F-04 a name that flips before the redirect is judged again", async () => {
  for (let at = 0; at < tries; at += 1) {
    answers = [[open], [closed]];
    assert.equal(await ask("/go"), "url_not_allowed");
  }
  answers = [[open]];
  assert.equal(await ask("/go"), 200);
  assert.equal(lookups, (tries + 1) * 2);
  assertNothingLeaked();
});

test("F-04 a private address among public ones refuses them all, wherever it stands", async () => {
  const seen = site.connections();
  for (let at = 0; at < tries; at += 1) {
    const all = [open, alsoOpen, "8.8.8.8", "2606:4700::1"].slice(0, 1 + (at % 4));
    answers = [all.toSpliced(at % (all.length + 1), 0, at % 3 === 0 ? "::ffff:127.0.0.1" : closed)];
    assert.equal(await ask(), "url_not_allowed");
  }
  assert.equal(site.connections(), seen);
  assertNothingLeaked();
});

test("F-04 the next address of several is one that was judged", async () => {
  for (let at = 0; at < planned({ whole: tries, quick: 1 }); at += 1) {
    // Nobody listens at the first; the second is tried then.
    answers = [[alsoOpen, open], [closed]];
    const [seen, asked] = [site.visits.length, lookups];
    assert.equal(await ask(), 200);
    assert.deepEqual([lookups - asked, site.visits.length - seen], [1, 1]);
    answers = [[alsoOpen], [closed]];
    assert.equal(await ask(), "refused");
  }
  assertNothingLeaked();
});

test("F-04 hours later the name is judged as at the first time", async () => {
  // Nothing is remembered between requests, so a second one stands for any later one.
  const rounds = planned({ whole: tries, quick: 1 });
  const url = `http://rebind.test:${site.port}/hook`;
  const hook = {
    url,
    method: "POST",
    body: "event",
    maxBytes: 1_000,
    timeoutMs: 10_000,
    maxRedirects: 0,
  } as const;
  const seen = site.visits.length;
  for (let at = 0; at < rounds; at += 1) {
    answers = [[open], [closed], [open]];
    assert.equal(await outcomeOf(egress.fetch(hook)), 200);
    assert.equal(await outcomeOf(egress.fetch(hook)), "url_not_allowed");
    assert.equal(await outcomeOf(egress.fetch(hook)), 200);
  }
  assert.equal(site.visits.length - seen, 2 * rounds);
  assertNothingLeaked();
});

test("F-04 answers that are no addresses are refused, and none at all is a name that is not there", async () => {
  for (const answer of [
    "2130706433",
    "0x7f.1",
    "127.1",
    "localhost",
    "",
    "127.0.0.1:80",
    "fe80::1%lo",
    "[::1]",
  ]) {
    answers = [[open, answer]];
    assert.equal(await ask(), "url_not_allowed", answer);
  }
  answers = [[]];
  assert.equal(await ask(), "refused");
  assertNothingLeaked();
});

test("F-04 a connection whose peer was not judged is closed before a byte is written", async () => {
  const trap = await startSite((_, response) => void response.end("secret"), { host: closed });
  const judge = new Judge([closed]);
  const journey = new Journey({ timeoutMs: 5_000 }, () => undefined);
  const destination = judge.destination(`${trap.origin}/`);
  await assert.rejects(dial(destination, [open], journey), { kind: "refused" });
  const socket = await dial(destination, [closed], journey);
  assert.equal(socket.remoteAddress, closed);
  journey.end();
  assert.deepEqual([socket.destroyed, trap.visits.length], [true, 0]);
  await trap.stop();
});
