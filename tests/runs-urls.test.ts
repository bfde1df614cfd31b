/**
 * Cases F-01 to F-05 of the test plan, through the door: whatever input names an address that this server fetches, and
 * whatever a provider's answer names, a private address is refused before anybody connects, and nothing is charged. The
 * addresses in a chat's messages are none of them: they go to the provider as they are.
 */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import { fileLinksOf } from "../src/files/file-links.ts";
import {
  addressInputs,
  encodedAddresses,
  paidEngines,
  privateAddresses,
  servicePorts,
  wrongSchemes,
} from "./support/address-inputs.ts";
import type { AddressInput } from "./support/address-inputs.ts";
import { endsInAnyCase } from "./support/ends-in-any-case.ts";
import { startCanary, startSite } from "./support/egress-sites.ts";
import type { Canary, Site } from "./support/egress-sites.ts";
import { eventually } from "./support/fake-upstream.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { asksNamesAt } from "./support/gateway-names.ts";
import {
  hostileCatalog,
  hostileCost,
  hostileSecret,
  startHostileProvider,
} from "./support/hostile-provider.ts";
import type { HostileProvider } from "./support/hostile-provider.ts";
import { openHost, startOpenWeb } from "./support/open-web.ts";
import type { OpenWeb } from "./support/open-web.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { residentBytes } from "./support/process-usage.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer, RunAnswer } from "./support/paying-customer.ts";

const secretKey = "the secret key of this house, long enough for anybody";

let web: OpenWeb;
let provider: HostileProvider;
/** Where letters and recordings would go: what is refused reaches no other server either. */
let mail: Canary;
let whisper: Site;
let gateway: GatewayProcess;
let customer: PayingCustomer;

before(async () => {
  web = await startOpenWeb();
  provider = await startHostileProvider();
  mail = await startCanary("127.0.0.1");
  whisper = await startSite((_, response) => void response.end(JSON.stringify({ text: "hello" })));
  gateway = await startGatewayProcess({
    moreFiles: { ...hostileCatalog, ...paidEngines },
    environment: {
      ...asksNamesAt(web.nameServer),
      GEMINI_API_KEY: "secret",
      GOOGLE_BASE_URL: provider.origin,
      H1_API_KEY: hostileSecret,
      H1_BASE_URL: provider.origin,
      SKILLBOSS_SECRET_KEY: secretKey,
      SKILLBOSS_EGRESS_ALLOW: `${openHost}:${web.site.port}`,
      SKILLBOSS_SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
      SKILLBOSS_SMTP_FROM: "SkillBoss <hello@example.com>",
      SKILLBOSS_SMTP_TLS: "when_offered",
      SKILLBOSS_WHISPER_URL: `${whisper.origin}/inference`,
      SKILLBOSS_WEBHOOK_BACKOFF_MS: "50",
    },
  });
  customer = await payingCustomer(gateway, { mode: "live" });
});
after(() => endsInAnyCase(gateway, web, provider, mail, whisper));

function run({ model, inputs, ...more }: ReturnType<AddressInput["body"]>): Promise<RunAnswer> {
  return customer.run(model, inputs, more);
}

/** Several at once, not all: each is a real run. */
async function eachOf(urls: readonly string[], check: (url: string) => Promise<void>): Promise<void> {
  const left = [...urls];
  const worker = async (): Promise<void> => {
    for (let url = left.shift(); url !== undefined; url = left.shift()) await check(url);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

test("a test key is refused what a live key is, in the same words, and nobody is reached", async () => {
  const tester = await payingCustomer(gateway, { mode: "test" });
  const before = touched();
  const urls = [
    "http://10.0.0.1/a",
    "http://[::1]/",
    "http://2130706433/",
    "http://metadata.google.internal/",
    "http://example.com:22/",
    "file:///etc/passwd",
  ];
  // Which of its offers a live key comes to is for the operator's keys to say.
  const engines = addressInputs.filter(({ name }) => !name.includes("firecrawl"));
  await eachOf(urls, async (url) => {
    for (const input of engines) {
      const { model, inputs, ...more } = input.body(url);
      const [live, test] = [await customer.run(model, inputs, more), await tester.run(model, inputs, more)];
      const told = ({ status, body }: RunAnswer) => {
        const { code, message, param } = body.error ?? {};
        return [status, code, message, param];
      };
      assert.deepEqual(told(test), told(live), `${input.name}: ${url}`);
      assert.equal(live.status, 400, `${input.name}: ${url}`);
    }
  });
  assert.equal(touched(), before);
});

function touched(): number {
  return web.touched() + mail.connections() + whisper.connections();
}

/** By none of this anybody was connected to who may not be, and nothing was charged. */
async function harmless(refusals: () => Promise<void>): Promise<void> {
  const before = [touched(), await customer.spent()];
  await refusals();
  assert.deepEqual([touched(), await customer.spent()], before);
}

function assertRefused({ status, body }: RunAnswer, codes: readonly string[], url: string): void {
  assert.equal(status, 400, `${url}: ${JSON.stringify(body)}`);
  assert.ok(codes.includes(body.error.code), `${url}: ${JSON.stringify(body)}`);
  assert.match(String(body.error.param), /^(?:inputs\.|webhook)/, `${url}: ${JSON.stringify(body)}`);
  assert.doesNotMatch(body.error.message, /127\.0\.0\.1|secret|ECONN/i);
}

const refused = ["url_not_allowed"];
const refusedOrWrong = ["url_not_allowed", "invalid_request"];

function own(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
}

/** Inputs of one kind share their reader: each of them gets a part of the spellings, and together they get all. */
function spellingsFor(index: number): readonly string[] {
  const all = encodedAddresses(web.canary.port);
  const [first, count] = [4, addressInputs.length - 4];
  return index < first ? all : all.filter((_, at) => at % count === index - first || at % 3 === index % 3);
}

for (const [index, { name, body, checksForm }] of addressInputs.entries()) {
  test(`F-01 F-02 ${name}: no private address, in whatever spelling`, () =>
    harmless(async () => {
      const ours = [`${gateway.url}/v1/models`, "http://127.0.0.1:5432/"];
      const literals = [...privateAddresses(web.canary.port, own()), ...ours];
      await eachOf(literals, async (url) => assertRefused(await run(body(url)), refused, url));
      const codes = checksForm ? refusedOrWrong : refused;
      await eachOf(spellingsFor(index), async (url) => assertRefused(await run(body(url)), codes, url));
    }));

  test(`F-05 ${name}: no other scheme, and no port where another service usually is`, () =>
    harmless(async () => {
      await eachOf(servicePorts, async (url) => assertRefused(await run(body(url)), refused, url));
      await eachOf(wrongSchemes, async (url) => assertRefused(await run(body(url)), refusedOrWrong, url));
    }));
}

if (isWholePlan)
  for (const { name, body } of addressInputs)
    test(`F-01 ${name}: the time of a refusal does not tell an open port from a closed one`, () =>
      harmless(async () => {
        const closed = await startCanary("127.0.0.1");
        await closed.stop();
        const times: Readonly<Record<"open" | "closed", number[]>> = { open: [], closed: [] };
        // In turns, so that a busy machine makes both slow.
        for (let tries = 0; tries < 51; tries += 1)
          for (const which of ["open", "closed"] as const) {
            const begunAt = performance.now();
            const { port } = which === "open" ? web.canary : closed;
            assertRefused(await run(body(`http://127.0.0.1:${port}/`)), refused, which);
            times[which].push(performance.now() - begunAt);
          }
        const [one = 0, other = 0] = Object.values(times).map(
          (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0,
        );
        assert.ok(Math.abs(one - other) < 20, `${one} and ${other} ms`);
      }));

const fetched = addressInputs.filter(({ name }) => !name.startsWith("webhook"));

for (const { name, body } of fetched) {
  test(`F-03 F-04 ${name}: behind a redirect and behind a name it is judged again`, () =>
    harmless(async () => {
      const { port, origin } = web.site;
      const homes = [["127.0.0.1"], ["10.0.0.1"], ["::1"], ["93.184.215.14", "127.0.0.1"], [openHost, "::1"]];
      for (const [index, home] of homes.entries()) web.names(`home${index}.test`, home);
      const named = homes.map((_, index) => `http://home${index}.test:${port}/text`);
      const targets = [
        `http://127.0.0.1:${web.canary.port}/`,
        `http://127.0.0.1:${port}/text`,
        "http://169.254.169.254/latest/meta-data/",
        `http://home0.test:${port}/text`,
        ...["file:///etc/passwd", "gopher://127.0.0.1:6379/_", "//127.0.0.1/", "http://u:p@example.com/"],
      ];
      const redirected = targets.flatMap((to) =>
        [302, 307, 308].map((status) => `${origin}/go/${status}?to=${encodeURIComponent(to)}`),
      );
      await eachOf([...named, ...redirected], async (url) =>
        assertRefused(await run(body(url)), refused, url),
      );
    }));
}

for (const [index, { name, body }] of fetched.entries()) {
  test(`F-04 ${name}: a name that changes its mind leads to nothing private`, async () => {
    const [untouched, visits] = [web.touched(), web.site.visits.length];
    const tries = planned({ whole: 300, quick: 2 });
    const hosts = Array.from({ length: tries }, (_, at) => `mind${index}-${at}.test`);
    await eachOf(hosts, async (host) => {
      web.names(host, [openHost], ["127.0.0.1"]);
      const url = `http://${host}:${web.site.port}/text`;
      await run(body(url));
      assertRefused(await run(body(url)), refused, url);
    });
    assert.ok(web.site.visits.length - visits >= tries, "the first address was asked");
    assert.equal(web.touched(), untouched);
  });
}

const flips = planned({ whole: 300, quick: 8 });

test("F-04 a name that changes its mind between two askings is connected where it was judged", () =>
  harmless(async () => {
    const { port } = web.site;
    const visits = web.site.visits.length;
    for (let tries = 0; tries < flips; tries += 1) {
      web.names(`flips${tries}.test`, [openHost], ["127.0.0.1"]);
      const read = await customer.run("local/parse", {
        document_url: `http://flips${tries}.test:${port}/text`,
      });
      assert.equal(read.status, 200, JSON.stringify(read.body));
      assertRefused(
        await customer.run("local/parse", { document_url: `http://flips${tries}.test:${port}/text` }),
        refused,
        "the second asking",
      );
      // Between its robots.txt and the page, and between two hops.
      web.names(`flips${tries}.test`, [openHost], ["127.0.0.1"]);
      const url = `http://flips${tries}.test:${port}/`;
      assertRefused(await customer.run("paid-scrape", { url }), refused, url);
      web.names(`flips${tries}.test`, [openHost], ["127.0.0.1"]);
      const document_url = `http://flips${tries}.test:${port}/go/302?to=/text`;
      assertRefused(await customer.run("paid-parse", { document_url }), refused, document_url);
    }
    assert.equal(web.site.visits.length, visits + 3 * flips);
  }));

test("F-04 a webhook's name is judged again at each delivery", () =>
  harmless(async () => {
    web.names("hook.test", [openHost], ["127.0.0.1"]);
    const webhook = `http://hook.test:${web.site.port}/hook`;
    const { status, body } = await customer.run("local/image", { operation: "qr", text: "x" }, { webhook });
    assert.equal(status, 200);
    const path = "/v1/webhooks/deliveries?limit=1";
    let last = (await gateway.get(customer.key, path)).body.data[0];
    const giveUpAt = performance.now() + 10_000;
    while (last.last_fault !== "url_not_allowed" && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      last = (await gateway.get(customer.key, path)).body.data[0];
    }
    assert.deepEqual([last.run_id, last.last_fault], [body.id, "url_not_allowed"]);
    assert.equal(web.site.visits.filter((visit) => visit.path === "/hook").length, 1);
  }));

test("F-03 five redirects are followed, six are not, and of many addresses each is judged by itself", async () => {
  const document = (path: string) => customer.run("local/parse", { document_url: web.site.origin + path });
  for (let hops = 1; hops <= 5; hops += 1) assert.equal((await document(`/hops/${hops}`)).status, 200);
  for (let hops = 6; hops <= 11; hops += 1)
    assertRefused(await document(`/hops/${hops}`), ["invalid_request"], `${hops} hops`);
  const urls = [`${web.site.origin}/`, `http://127.0.0.1:${web.canary.port}/`, "http://[::1]/"];
  const answer = await customer.run("local/scrape", { urls });
  assert.equal(answer.status, 200);
  const told = answer.body.results.map((one: Record<string, { code: string }>) => one["error"]?.code);
  assert.deepEqual(told, [undefined, "url_not_allowed", "url_not_allowed"]);
  assert.equal(web.touched(), 0);
});

test("what is open is read by each of the inputs, so that all the refusals above mean something", async () => {
  const paths: Readonly<Record<string, string>> = {
    image: "/pixel",
    audio: "/wav",
    document: "/text",
    page: "/",
  };
  const kinds = ["page", "page", "document", "image", "image", "image", "audio"];
  for (const [index, kind] of kinds.entries()) {
    const input = fetched[index];
    const { status, body } = await run(input?.body(web.site.origin + paths[kind]) ?? assert.fail());
    assert.equal(status, 200, `${input?.name}: ${JSON.stringify(body)}`);
  }
  assert.equal(whisper.connections(), 1);
  const [attachment] = fetched.slice(-1);
  assert.equal((await run(attachment?.body(`${web.site.origin}/text`) ?? assert.fail())).status >= 400, true);
  assert.equal(mail.connections() > 0, true, "the letter went on its way");
});

const notFirecrawl = fetched.filter(({ name }) => !name.includes("firecrawl"));

async function assertGivenUp(path: string, { name, body }: AddressInput): Promise<void> {
  const answer = await run(body(web.site.origin + path));
  // To a reader of pages, a site that does not answer in time or leads in circles is one that cannot be read.
  const statuses = name === "url of local/scrape" && !path.startsWith("/v") ? [400, 502, 504] : [400];
  assert.ok(statuses.includes(answer.status), `${name} of ${path}: ${JSON.stringify(answer.body)}`);
}

test("F-05 an endless body and a small one that unpacks without end are given up, at no charge", () =>
  harmless(async () => {
    for (const path of ["/endless", "/bomb"])
      for (const { name, body } of notFirecrawl) {
        const answer = await run(body(web.site.origin + path));
        assert.equal(answer.status, 400, `${name} of ${path}: ${JSON.stringify(answer.body)}`);
      }
    await eventually(() => web.site.open() === 0, 10_000);
  }));

/** The plan has 32 MB, with at most 20 MB of one file. Here a document may have 50 MB, and an engine has it whole. */
const mostGrowth = 192 * 1024 * 1024;

test("F-05 what says that it is 10 GB is not read, and neither it nor endless redirects take memory or time", () =>
  harmless(async () => {
    const before = residentBytes(gateway);
    const [begunAt, sent] = [performance.now(), web.site.sentBytes()];
    for (const path of ["/vast", "/hops/0"])
      for (const input of notFirecrawl) await assertGivenUp(path, input);
    assert.ok(web.site.sentBytes() - sent < 64 * 1024 * 1024, "bytes of it were read");
    assert.ok(residentBytes(gateway) - before < mostGrowth);
    if (isWholePlan)
      assert.ok(performance.now() - begunAt < 10_000 * notFirecrawl.length, "10 s for each, both together");
    await eventually(() => web.site.open() === 0, 10_000);
  }));

if (isWholePlan)
  // The plan has 10 s. Here a file may take a minute, so that what customers name may be large and far away.
  test("F-05 a byte a second is given up with the time that a file may take, at no charge", () =>
    harmless(async () => {
      const begunAt = performance.now();
      await Promise.all(notFirecrawl.map((input) => assertGivenUp("/drip", input)));
      assert.ok(performance.now() - begunAt < 75_000);
      await eventually(() => web.site.open() === 0, 10_000);
    }));

test("F-05 an image is what its bytes are, whatever the address is called: a page is none", () =>
  harmless(async () => {
    for (const { name, body } of fetched.filter((input) => /^(?:image|overlays)/.test(input.name)))
      assertRefused(await run(body(`${web.site.origin}/page.png`)), ["invalid_request"], name);
  }));

/** The address of a new file, and what the door told of it. */
async function uploaded(key: string): Promise<{ readonly id: string; readonly url: string }> {
  const response = await fetch(`${gateway.url}/v1/files?name=note.txt`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "text/plain" },
    body: "a note of my own",
  });
  assert.equal(response.status, 200);
  return (await response.json()) as { id: string; url: string };
}

test("of our own file addresses, the account's own are read, and no others: not in the other mode, not expired", async () => {
  const mine = await uploaded(customer.key);
  const read = (document_url: string) => customer.run("local/parse", { document_url });
  const answer = await read(mine.url);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.match(JSON.stringify(answer.body.result), /a note of my own/);
  const { body: key } = await gateway.admin("POST", `/accounts/${customer.accountId}/keys`, { mode: "test" });
  const links = fileLinksOf(secretKey);
  const gone = await uploaded(customer.key);
  await fetch(`${gateway.url}/v1/files/${gone.id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${customer.key}` },
  });
  const signed = (id: string, expiresAt: number) =>
    links.urlOf({ id, expiresAt: new Date(expiresAt) }, gateway.url);
  assert.equal((await read(signed(mine.id, Date.now() + 60_000))).status, 200, "as the house itself signs");
  const closed = {
    "another account's": (await uploaded((await gateway.customer()).key)).url,
    "the same account's of the other mode": (await uploaded(key.key)).url,
    expired: signed(mine.id, Date.now() - 1_000),
    removed: gone.url,
    "with another end": mine.url.replace(/expires=\d/, "expires=9"),
    "with another signature": mine.url.replace(
      /signature=./,
      (all) => `signature=${all.endsWith("A") ? "B" : "A"}`,
    ),
    "without a signature": mine.url.replace(/&signature=.*/, ""),
    "with the signature of another file": mine.url.replace(mine.id, gone.id),
    "nobody's": signed(`file_${"0".repeat(32)}`, Date.now() + 60_000),
  };
  for (const [what, url] of Object.entries(closed)) assertRefused(await read(url), refused, what);
  for (const { name, body } of fetched)
    assertRefused(await run(body(closed["another account's"])), refused, name);
});

type Told = Readonly<Record<string, string>>;

/** What a run of a model of the hostile provider comes to when that answers so. */
function told(model: string, answer: Told): Promise<RunAnswer> {
  return customer.run(model, { answer });
}

test("what a provider names is judged like what customers name: the run fails in our words, at no charge", () =>
  harmless(async () => {
    web.names("inside.test", ["127.0.0.1"]);
    const { port, origin } = web.site;
    const closed = [
      ...privateAddresses(web.canary.port, own()),
      ...encodedAddresses(web.canary.port),
      ...[`http://inside.test:${port}/text`, `${gateway.url}/v1/models`, "file:///etc/passwd"],
      `${origin}/go/302?to=${encodeURIComponent(`http://127.0.0.1:${web.canary.port}/`)}`,
      `${origin}/go/307?to=${encodeURIComponent("http://169.254.169.254/latest/")}`,
    ];
    await eachOf(closed, async (url) => {
      const { status, body } = await told("m-file", { url });
      assert.deepEqual([status, body.error.code], [502, "upstream_invalid_response"], url);
      assert.doesNotMatch(body.error.message, /127\.0\.0\.1|http/);
    });
    // Where to ask again, and where the result is to be fetched: a verdict, not asked about for a day.
    for (const url of [
      `http://127.0.0.1:${web.canary.port}/`,
      "http://[::1]/",
      `http://inside.test:${port}/`,
    ]) {
      for (const answer of [
        await told("m-poll", { poll_url: url }),
        await told("m-fetch", { fetch_url: url }),
      ])
        assert.deepEqual(
          [answer.status, answer.body.error.code],
          [502, "upstream_invalid_response"],
          `${url}: ${JSON.stringify(answer.body)}`,
        );
    }
  }));

test("where a provider's file has moved to is judged anew, and an endless file ends at the plan's limit, at no charge", () =>
  harmless(async () => {
    const canary = encodeURIComponent(`http://127.0.0.1:${web.canary.port}/`);
    const moved = await told("m-file", { url: `${provider.origin}/go?to=${canary}` });
    assert.deepEqual([moved.status, moved.body.error.code], [502, "upstream_invalid_response"]);
    const circle = await told("m-file", { url: `${provider.origin}/circle` });
    assert.deepEqual([circle.status, circle.body.error.code], [502, "upstream_error"]);
    const rounds = provider.visits.filter(({ path }) => path === "/circle").length;
    assert.ok(rounds <= 20, `${rounds} times round`);
    const missing = await told("m-file", { url: `${web.site.origin}/go/404` });
    assert.deepEqual([missing.status, missing.body.error.code], [502, "upstream_error"]);
    for (const url of [
      `${provider.origin}/endless`,
      `${web.site.origin}/endless`,
      `${provider.origin}/file/20971521`,
    ]) {
      const { status, body } = await told("m-file", { url });
      assert.deepEqual([status, body.error.code], [502, "run_failed"], JSON.stringify(body));
      assert.match(body.error.message, /larger than this plan's files may be\. Nothing was charged/);
    }
    await eventually(() => web.site.open() === 0, 10_000);
  }));

test("what a provider names on its own origin, or in the open, is stored here and charged once", async () => {
  const before = await customer.spent();
  for (const url of [`${provider.origin}/file/20971520`, `${web.site.origin}/text`]) {
    const { status, body, cost } = await told("m-file", { url });
    assert.deepEqual([status, cost], [200, hostileCost], JSON.stringify(body));
    const read = await fetch(body.document);
    assert.equal(read.status, 200);
    await read.arrayBuffer();
  }
  const polled = await told("m-poll", {
    poll_url: `${provider.origin}/json?url=${encodeURIComponent(`${web.site.origin}/text`)}`,
  });
  assert.equal(polled.status, 200, JSON.stringify(polled.body));
  assert.equal(await (await fetch(polled.body.document)).text(), "open to all");
  assert.equal(await customer.spent(), before + 1.5);
});
