/**
 * Case U-09 of the test plan for runs, and where a provider's credential goes: what a provider sends is read within
 * bounds, its files go into the store as they come, and what its answers name gets the credential on its own origin only.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { endsInAnyCase } from "./support/ends-in-any-case.ts";
import { startNameServer } from "./support/egress-name-server.ts";
import type { NameServer } from "./support/egress-name-server.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { asksNamesAt } from "./support/gateway-names.ts";
import {
  hostileCatalog,
  hostileCost,
  hostileSecret,
  hugeBytes,
  tokenCatalog,
  startHostileProvider,
} from "./support/hostile-provider.ts";
import type { HostileProvider } from "./support/hostile-provider.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";
import { planned } from "./support/plan-scale.ts";
import { residentBytes } from "./support/process-usage.ts";

const mebibyte = 1024 * 1024;
const fileMebibytes = planned({ whole: 2048, quick: 256 });
const fileBytes = fileMebibytes * mebibyte;
const warmBytes = 32 * mebibyte;
/** In the quick form with what the collector has not come round to on a busy machine: far from the whole file. */
const streamedGrowth = planned({ whole: 64, quick: 96 }) * mebibyte;
/** An answer that is read whole is read up to 64 MB. */
const wholeGrowth = 64 * mebibyte + 64 * mebibyte;

let provider: HostileProvider;
/** Another origin, which the operator opened for what is fetched without a credential. */
let other: HostileProvider;
let names: NameServer;
let gateway: GatewayProcess;
let free: PayingCustomer;
let pro: PayingCustomer;

before(async () => {
  [provider, other] = await Promise.all([startHostileProvider(), startHostileProvider("127.0.0.2")]);
  names = await startNameServer(() => "no such name");
  gateway = await startGatewayProcess({
    moreFiles: { ...hostileCatalog, ...tokenCatalog },
    environment: {
      ...asksNamesAt(names.address),
      H1_API_KEY: hostileSecret,
      H1_BASE_URL: provider.origin,
      G1_API_KEY: accountKey(`${other.origin}/no-tokens`),
      G1_BASE_URL: provider.origin,
      SKILLBOSS_EGRESS_ALLOW: `127.0.0.2:${other.port}`,
    },
  });
  free = await payingCustomer(gateway, { mode: "live" });
  pro = await payingCustomer(gateway, { mode: "live" });
  await gateway.admin("PATCH", `/accounts/${pro.accountId}`, { plan: "pro" });
  // The first runs load code, and the allocator takes what it then reuses: that is no growth with the size.
  const warm = [provider, other].map(({ origin }) =>
    pro.run("m-file", { answer: { url: `${origin}/file/${warmBytes}` } }),
  );
  for (const { status, body } of await Promise.all(warm)) assert.equal(status, 200, JSON.stringify(body));
});
after(() => endsInAnyCase(gateway, provider, other, names));

/** How much the process grew at most while this went on. */
async function growthDuring<Result>(
  work: Promise<Result>,
): Promise<{ readonly result: Result; readonly growth: number }> {
  const before = residentBytes(gateway);
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, residentBytes(gateway))), 10);
  try {
    return { result: await work, growth: most - before };
  } finally {
    clearInterval(timer);
  }
}

/** How many bytes a client gets that reads them as they come. */
async function bytesAt(url: string): Promise<number> {
  const { body } = await fetch(url);
  let bytes = 0;
  for await (const piece of body ?? assert.fail("no body")) bytes += piece.length;
  return bytes;
}

function assertWithin(growth: number, bound: number): void {
  assert.ok(growth < bound, `the process grew by ${Math.round(growth / mebibyte)} MB`);
}

for (const [where, originOf] of [
  ["on its own origin", () => provider.origin],
  ["in the open", () => other.origin],
] as const) {
  test(`U-09 a file of ${fileMebibytes} MB that the provider has ${where} goes into the store and to the client as it comes`, async () => {
    const before = await pro.spent();
    const run = pro.run("m-file", { answer: { url: `${originOf()}/file/${fileBytes}` } });
    const { result, growth } = await growthDuring(run);
    assert.deepEqual([result.status, result.cost], [200, hostileCost], JSON.stringify(result.body));
    assertWithin(growth, streamedGrowth);
    assert.equal(await pro.spent(), before + 0.5);
    const head = await fetch(result.body.document, { headers: { range: `bytes=${fileBytes - 1}-` } });
    assert.deepEqual(
      [head.status, head.headers.get("content-range"), await head.text()],
      [206, `bytes ${fileBytes - 1}-${fileBytes - 1}/${fileBytes}`, "x"],
    );
    const read = await growthDuring(bytesAt(result.body.document));
    assert.equal(read.result, fileBytes);
    assertWithin(read.growth, streamedGrowth);
    const file = new URL(result.body.document).pathname.split("/")[3];
    await fetch(`${gateway.url}/v1/files/${file}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${pro.key}` },
    });
  });
}

test("U-09 the same file is refused for a smaller plan as soon as its limit is passed, at no charge", async () => {
  const spent = await free.spent();
  for (const { origin } of [provider, other]) {
    const written = provider.fileWritten() + other.fileWritten();
    const { status, body } = await free.run("m-file", { answer: { url: `${origin}/file/${fileBytes}` } });
    assert.deepEqual([status, body.error.code], [502, "run_failed"], JSON.stringify(body));
    const read = provider.fileWritten() + other.fileWritten() - written;
    assert.ok(read < 64 * mebibyte, `${read} bytes were read, once`);
  }
  assert.equal(await free.spent(), spent);
  const { body } = await gateway.get(free.key, "/v1/files");
  assert.deepEqual(body.data, []);
});

test("U-09 an answer of 200 MB is a 502, not read to its end, and costs nothing", async () => {
  const spent = await free.spent();
  const { result, growth } = await growthDuring(free.run("m-huge", {}));
  assert.equal(result.status, 502, JSON.stringify(result.body));
  assert.ok(["upstream_invalid_response", "outcome_unknown"].includes(result.body.error.code));
  assert.ok(provider.hugeWritten() < hugeBytes / 2, `${provider.hugeWritten()} bytes were read`);
  assertWithin(growth, wholeGrowth);
  assert.equal(provider.visits.filter(({ path }) => path === "/huge.json").length, 1, "it was sent once");
  assert.equal(await free.spent(), spent);
});

test("U-09 a poll or a result of 200 MB, elsewhere or at the provider, fails the run, and is not asked for again", async () => {
  const spent = await free.spent();
  for (const site of [other, provider]) {
    for (const [model, member] of [
      ["m-poll", "poll_url"],
      ["m-fetch", "fetch_url"],
    ] as const) {
      const asked = () => site.visits.filter(({ path }) => path === "/huge.json").length;
      const before = asked();
      const { status, body } = await free.run(model, { answer: { [member]: `${site.origin}/huge.json` } });
      assert.deepEqual([status, body.error.code], [502, "upstream_invalid_response"], JSON.stringify(body));
      assert.equal(asked() - before, 1, `${model} at ${site.origin}`);
    }
  }
  assert.equal(await free.spent(), spent);
});

/** Addresses that lead elsewhere, whatever of the provider's own they show. */
function elsewhere(): readonly string[] {
  const { host, port } = new URL(other.origin);
  const own = new URL(provider.origin);
  return [
    `http://${host}/file/10`,
    `http://${host}/file/10?url=${encodeURIComponent(provider.origin)}`,
    `http://${host}/file/10#@${own.host}`,
    `http:\\\\${host}/file/10`,
    `http://127.0.0.2.:${port}/file/10`,
    `http://${own.host}@${host}/file/10`,
    `http://${host}@${own.host}/file/10`,
    `//${host}/file/10`,
    `https://${own.host}/file/10`,
    `http://localhost:${own.port}/file/10`,
    `http://127.1.0.1:${own.port}/file/10`,
    ...["http://files.h1.example/x", "http://h1.example/x", "https://evilh1.example/x"],
    ...[
      "https://files.h1.example:8443/x",
      "https://files.h1.example.evil.test/x",
      "https://u@files.h1.example/x",
    ],
  ];
}

test("the credential goes to the provider's own origin, and to no other that its answers name", async () => {
  const [mine, theirs] = [provider.visits.length, other.visits.length];
  const redirect = `${provider.origin}/go?to=${encodeURIComponent(`${other.origin}/file/10`)}`;
  const urls = [...elsewhere(), redirect, `${provider.origin}/file/10`];
  const answers = await Promise.all(urls.map((url) => free.run("m-file", { answer: { url } })));
  assert.ok(answers.every(({ status }) => status === 200 || status === 502));
  const polled = await free.run("m-poll", { answer: { poll_url: `${other.origin}/json?url=${urls[0]}` } });
  assert.equal(polled.status, 200, JSON.stringify(polled.body));
  const seen = other.visits.slice(theirs);
  assert.ok(seen.length >= 6, "the other origin was asked");
  for (const { headers, path } of seen) {
    assert.equal(headers.authorization, undefined, path);
    assert.ok(!JSON.stringify(headers).includes(hostileSecret), path);
  }
  const own = provider.visits.slice(mine).filter(({ method }) => method === "GET");
  assert.deepEqual(
    [...new Set(own.map(({ path, headers }) => `${path} ${headers.authorization}`))].toSorted(),
    [`/file/10 Bearer ${hostileSecret}`, `${redirect.slice(provider.origin.length)} Bearer ${hostileSecret}`],
  );
});

/** A service account's key file; `tokenUrl` is where its tokens come from. */
function accountKey(tokenUrl: string): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return JSON.stringify({
    client_email: "robot@example.com",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    token_uri: tokenUrl,
  });
}

test("a provider whose token is refused is not available: it is not asked, and nothing is charged", async () => {
  const [spent, visits] = [await free.spent(), provider.visits.length];
  const { status, body } = await free.run("m-token", { answer: {} });
  assert.deepEqual([status, body.error.code], [503, "upstream_unavailable"], JSON.stringify(body));
  const told = JSON.stringify(body).replaceAll(/m-token|(?:req|run)_[0-9a-f]+/g, "");
  assert.doesNotMatch(told, /token|robot|PRIVATE|40[0-9]/);
  assert.equal(provider.visits.length, visits);
  assert.equal(other.visits.at(-1)?.path, "/no-tokens");
  assert.equal(await free.spent(), spent);
});
