import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { endsClean } from "./support/clean-end.ts";
import { ok } from "./support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { planned } from "./support/plan-scale.ts";
import { startPostgres } from "./support/postgres.ts";
import type { NoPostgres, TestPostgres } from "./support/postgres.ts";
import { rawRequest, sendRaw } from "./support/raw-http.ts";
import type { RawAnswer } from "./support/raw-http.ts";
import { rowsOfTables } from "./support/table-rows.ts";

/**
 * Who may come in: cases. are in auth-surface.test.ts; A-07 waits for sign-in. Keys do not
 * expire, so of A-03 there is revoking only.
 */

let postgres: TestPostgres | NoPostgres;
/** Undefined: the embedded one, whose tables nobody else can read. */
let databaseUrl: string | undefined;
let upstream: FakeUpstream;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  upstream = await startFakeUpstream();
  postgres = await startPostgres();
  if (!("skipped" in postgres)) databaseUrl = await postgres.freshDatabase();
  gateway = await startGateway({
    p1: upstream.baseUrl,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  customer = await gateway.customer();
});
beforeEach(() => upstream.clear());
after(async () => {
  try {
    await endsClean(gateway, upstream);
  } finally {
    if (!("skipped" in postgres)) await postgres.stop();
  }
});

const chatBody = JSON.stringify({ model: "m-chat", messages: [{ role: "user", content: "hi" }] });

function chat(headers: readonly string[]): Promise<RawAnswer> {
  const all = [...headers, "Content-Type: application/json", "Connection: close"];
  return sendRaw(gateway.port, rawRequest("POST /v1/chat/completions", all, chatBody));
}

function assertNoEntry(answer: RawAnswer, secret: string, label: string): void {
  const shown = `${label}: ${answer.text.slice(0, 300)}`;
  assert.deepEqual(answer.statuses, [401], shown);
  assert.match(answer.text, /\r\nwww-authenticate: Bearer\r\n/i, shown);
  assert.ok(secret.length < 8 || !answer.text.includes(secret.slice(0, 20)), shown);
  assert.doesNotMatch(answer.body, /sha|hash|keys|select|sql|doorkeeper|postgres|stack|\.ts/i, shown);
}

test("A-01 a missing or malformed key is 401, says nothing and reaches no provider", async () => {
  const { key } = customer;
  const changed = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
  const wrong = [
    "",
    "Bearer",
    "Bearer ",
    "Basic eDp5",
    key,
    `Bearer ${key}%0a`,
    `Bearer ${key}\\n`,
    `Bearer "${key}"`,
  ];
  const more = [
    `Bearer sk-${"x".repeat(10_240)}`,
    `Bearer ${changed}`,
    "Bearer sk-",
    `Bearer ${key.slice(0, 12)}`,
  ];
  const cut = [
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${key}x`,
    `Bearer ${key.toLowerCase()}`,
    `Bearer ${gateway.token}`,
  ];
  for (const value of [...wrong, ...more, ...cut]) {
    const answer = await chat([`Authorization: ${value}`]);
    assertNoEntry(answer, value.replace(/^Bearer /, ""), value.slice(0, 40));
    // A header that is there but empty is as good as none.
    const code = value === "" ? "missing_authorization" : "invalid_api_key";
    const { error } = JSON.parse(answer.body);
    assert.equal(error.code, code);
    // A key that is worn the wrong way may be a good one: it is not called wrong.
    const isWorn = /^bearer(?: |$)/i.test(value);
    const says = isWorn ? /^Invalid API key provided\.$/ : /^Send your key as `Authorization: Bearer sk-/;
    assert.match(error.message, says, value.slice(0, 40));
  }
  const none = await chat([]);
  assertNoEntry(none, "", "no header");
  assert.equal(JSON.parse(none.body).error.code, "missing_authorization");
  assert.equal(upstream.log.length, 0);
});

type Medians = { readonly near: number; readonly far: number };

/** How long refusals of a key that is nearly right take, and of one that is all wrong, in milliseconds. */
async function refusalTimes(tries: number): Promise<Medians> {
  const { key } = customer;
  const secrets = {
    near: key.slice(0, -1) + (key.endsWith("A") ? "B" : "A"),
    far: `sk-${"z".repeat(key.length - 3)}`,
  };
  const times: Record<"near" | "far", number[]> = { near: [], far: [] };
  for (let count = 0; count < tries; count += 1) {
    // Which comes first makes a difference of its own.
    for (const which of count % 2 === 0 ? (["near", "far"] as const) : (["far", "near"] as const)) {
      const startedAt = performance.now();
      await (await gateway.chat(secrets[which], {})).text();
      times[which].push(performance.now() - startedAt);
    }
  }
  const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length / 2] ?? 0;
  return { near: median(times.near), far: median(times.far) };
}

test("A-01 how long a refusal takes does not tell how near a key was", async () => {
  const tries = planned({ whole: 2_000, quick: 200 });
  // Of few tries on a busy machine only a difference in kind can be seen.
  const tolerance = planned({ whole: 0.05, quick: 0.5 });
  const rounds: Medians[] = [];
  const isAlike = ({ near, far }: Medians): boolean =>
    Math.abs(near - far) <= Math.max(near, far) * tolerance;
  // What the key makes shows in every round, what the machine makes does not.
  while (!rounds.some(isAlike)) {
    assert.ok(rounds.length < planned({ whole: 4, quick: 1 }), `medians in ms: ${JSON.stringify(rounds)}`);
    rounds.push(await refusalTimes(tries));
  }
});

/** 200 and more. */
function injections(): readonly string[] {
  const seeds = [
    "' OR '1'='1",
    "' OR 1=1 --",
    '" OR ""="',
    "'; DROP TABLE keys; --",
    "') UNION SELECT 1,2,3 --",
    "%",
    "_",
    "%%",
    "\\",
    "\\'",
    "''",
    "*",
    "?",
    "$1",
    ":1",
    "@x",
    "';WAITFOR DELAY '0:0:5'--",
    "'; SELECT pg_sleep(5); --",
    "' || pg_sleep(5) || '",
    "admin'/*",
    "'; COPY keys TO PROGRAM 'id'; --",
  ];
  const more = [
    "{$gt: ''}",
    '{"$ne":null}',
    "[$regex]=.*",
    "${7*7}",
    "{{7*7}}",
    "#{7*7}",
    "<%=7*7%>",
    "%s%s%s%n",
    "%x",
    "{0}",
    "$(id)",
    "`id`",
    "|id",
    "\\u0000",
    "%00",
    "\\x00",
    "../../etc/passwd",
    "*)(uid=*",
    "<script>",
    "sk-%",
    "sk-_",
    "sk-test-%",
    "null",
    "undefined",
    "NaN",
    "true",
    "0",
    "[object Object]",
    "__proto__",
    "constructor",
    "{{constructor.constructor('return 1')()}}",
    "${jndi:ldap://127.0.0.1/x}",
    "(|(key=*))",
    "' or count(/*)=1 or 'a'='b",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
  ];
  const all = [...seeds, ...more];
  return [
    ...all,
    ...all.map((one) => `sk-${one}`),
    ...all.map((one) => customer.key + one),
    ...all.map((one) => one + customer.key),
  ];
}

test("A-02 a key is never more than a text to compare", async () => {
  const before = await gateway.admin("GET", "/accounts");
  const rowsBefore = await rowsOfTables(databaseUrl);
  const logBefore = gateway.log().length;
  const mostMs = planned({ whole: 250, quick: 5_000 });
  const corpus = injections();
  assert.ok(corpus.length >= 200, `${corpus.length}`);
  const multiByte = Array.from(
    { length: 300 },
    (_, index) => `sk-${String.fromCodePoint(0x80 + index * 37, 0x4e00 + index, 0x1f600 + index)}`,
  );
  const illegal = Array.from({ length: 32 }, (_, code) => `sk-${String.fromCharCode(code)}x`);
  for (const secret of [...corpus, ...multiByte, ...illegal, "sk-\x7f"]) {
    const startedAt = performance.now();
    const utf8 = Buffer.from(secret).toString("latin1");
    const { statuses, text } = await chat([`Authorization: Bearer ${utf8}`]);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < mostMs, `${secret} took ${tookMs} ms`);
    assert.ok(statuses[0] === 401 || statuses[0] === 400, `${JSON.stringify(secret)}: ${text.slice(0, 200)}`);
    assert.ok(statuses.length === 1 || statuses.every((status) => status === 400 || status === 401));
  }
  const afterwards = await gateway.admin("GET", "/accounts");
  assert.deepEqual(afterwards.body.data, before.body.data);
  assert.deepEqual(await rowsOfTables(databaseUrl), rowsBefore);
  assert.doesNotMatch(gateway.log().slice(logBefore), /error|syntax|sql/i);
  assert.equal(upstream.log.length, 0);
});

test("A-03 a revoked key stops at once; a stream that runs is finished and settled", async () => {
  const own = await gateway.customer();
  upstream.script("m-chat", ok({ tokens: 20, everyMs: 40 }));
  const streaming = await gateway.chat(own.key, { ...JSON.parse(chatBody), stream: true });
  assert.equal(streaming.status, 200);
  assert.equal((await gateway.get(own.key, "/v1/balance")).status, 200);
  assert.equal((await gateway.admin("DELETE", `/keys/${own.keyId}`)).status, 204);
  const { status, body } = await gateway.get(own.key, "/v1/balance");
  assert.deepEqual([status, body.error.code], [401, "invalid_api_key"]);
  assert.ok(!JSON.stringify(body).includes(own.key.slice(0, 12)));
  const text = await streaming.text();
  assert.match(text, /data: \[DONE\]\s*$/);
  assert.equal(text.match(/"content":"tok "/g)?.length, 20);
  // 100 tokens in at 2.5 µcr, 20 out at 10.
  const { body: account } = await gateway.admin("GET", `/accounts/${own.accountId}`);
  assert.deepEqual(account.balances.live, { available: "999.999550", held: "0.000000" });
});

/** A key that is used at one gateway until it is refused. */
class KeyInUse {
  accepted = 0;
  readonly refused: Promise<number>;

  constructor(where: Gateway, key: string) {
    this.refused = this.#use(where, key);
  }

  /** When it was refused. */
  async #use(where: Gateway, key: string): Promise<number> {
    const giveUpAt = performance.now() + 60_000;
    while ((await where.get(key, "/v1/balance")).status === 200) {
      this.accepted += 1;
      assert.ok(performance.now() < giveUpAt, "the key is never refused");
      await pause(usedEveryMs);
    }
    return performance.now();
  }
}

/** The plan has 20 uses per second. */
const usedEveryMs = planned({ whole: 50, quick: 5 });

test("A-03 a key that is revoked on one node stops there within a second and on another within five", async (context) => {
  if ("skipped" in postgres) {
    context.skip(postgres.skipped);
    return;
  }
  const shared = { p1: upstream.baseUrl, databaseUrl: await postgres.freshDatabase() };
  const here = await startGatewayProcess(shared);
  const there = await startGatewayProcess(shared);
  try {
    const own = await here.customer();
    const [used, usedThere] = [new KeyInUse(here, own.key), new KeyInUse(there, own.key)];
    const uses = planned({ whole: 100, quick: 20 });
    await eventually(() => used.accepted >= uses && usedThere.accepted >= uses, 30_000);
    const revokedAt = performance.now();
    assert.equal((await here.admin("DELETE", `/keys/${own.keyId}`)).status, 204);
    const tookMs = (await used.refused) - revokedAt;
    const tookThereMs = (await usedThere.refused) - revokedAt;
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
    assert.ok(tookThereMs < 5_000, `${tookThereMs} ms on the other`);
    for (const gateway of [here, there]) {
      const { status, body } = await gateway.get(own.key, "/v1/balance");
      assert.deepEqual([status, body.error.code], [401, "invalid_api_key"]);
    }
    await endsClean(there);
  } finally {
    await Promise.all([here.stop(), there.process.exitCode === null ? there.stop() : undefined]);
  }
});
