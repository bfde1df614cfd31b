/**
 * Cases T-01, T-02 and T-04 of the test plan for runs: what one account has is for all others as what nobody has, also
 * for the same account's key of the other mode; and of equal requests each gets its own answer. Receipts are read by lists
 * only, and there are no invoices and no orders; answers are kept for a repeated Idempotency-Key alone.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsInAnyCase } from "./support/ends-in-any-case.ts";
import { startSite } from "./support/egress-sites.ts";
import type { Site } from "./support/egress-sites.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { hostileCatalog, hostileSecret, startHostileProvider } from "./support/hostile-provider.ts";
import type { HostileProvider } from "./support/hostile-provider.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";

let provider: HostileProvider;
let receiver: Site;
let gateway: Gateway;
let ada: PayingCustomer;
/** Keys that none of Ada's live runs are for: another account's, in both modes, and her own for test mode. */
let strangers: Readonly<Record<string, string>>;
let owned: Owned;

type Owned = {
  readonly run: string;
  /** One that is at its provider still. */
  readonly waiting: string;
  readonly file: string;
  readonly content: string;
  readonly delivery: string;
};

before(async () => {
  provider = await startHostileProvider();
  receiver = await startSite((_, response) => void response.writeHead(204).end());
  gateway = await startGateway({
    moreFiles: hostileCatalog,
    environment: {
      H1_API_KEY: hostileSecret,
      H1_BASE_URL: provider.origin,
      SKILLBOSS_EGRESS_ALLOW: `127.0.0.1:${receiver.port}`,
    },
  });
  ada = await payingCustomer(gateway, { mode: "live" });
  const ben = await gateway.customer();
  strangers = {
    "another account": ben.key,
    "another account, for tests": await keyOf(ben.accountId, "test"),
    "the account's own key for tests": await keyOf(ada.accountId, "test"),
  };
  owned = await whatAdaHas();
});
after(() => endsInAnyCase(gateway, provider, receiver));

async function keyOf(accountId: string, mode: "live" | "test"): Promise<string> {
  const credits = { credits: "100.00", mode, reason: "test" };
  await gateway.admin("POST", `/accounts/${accountId}/credits`, credits);
  return (await gateway.admin("POST", `/accounts/${accountId}/keys`, { mode })).body.key;
}

async function whatAdaHas(): Promise<Owned> {
  const webhook = `${receiver.origin}/hook`;
  const done = await ada.run("m-file", { answer: { url: `${provider.origin}/file/10` } }, { webhook });
  assert.equal(done.status, 200, JSON.stringify(done.body));
  const begun = await ada.run("m-poll", { answer: { poll_url: `${provider.origin}/json` } }, { async: true });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const { body: files } = await gateway.get(ada.key, "/v1/files");
  const waiting = begun.body.job_id;
  await until("the job begins", async () => {
    const { body } = await gateway.get(ada.key, `/v1/job/${waiting}`);
    return body.status !== "queued";
  });
  let delivery = "";
  await until("the message arrives", async () => {
    const { body } = await gateway.get(ada.key, "/v1/webhooks/deliveries");
    delivery = body.data[0].id;
    return body.data[0].state === "delivered";
  });
  return {
    run: done.body.id,
    waiting,
    file: files.data[0].id,
    content: new URL(done.body.document).search,
    delivery,
  };
}

async function until(label: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await holds())) assert.ok(performance.now() < giveUpAt, `it does not happen that ${label}`);
}

type Answer = {
  readonly status: number;
  readonly text: string;
  readonly headers: object;
  readonly ms: number;
};

/** What goes with the clock, or with each request. */
const everNew = new Set(["date", "x-request-id", "x-ratelimit-reset-requests"]);

async function ask(key: string, method: string, path: string): Promise<Answer> {
  const startedAt = performance.now();
  const init = { method, headers: { authorization: `Bearer ${key}` } };
  const response = await fetch(gateway.url + path, init);
  const text = await response.text();
  const ms = performance.now() - startedAt;
  const requestId = response.headers.get("x-request-id") ?? "?";
  const told = [...response.headers].filter(([name]) => !everNew.has(name));
  return {
    status: response.status,
    text: text.replaceAll(requestId, "req_"),
    headers: Object.fromEntries(told),
    ms,
  };
}

/** As the one given, with an id that nobody has. */
function nobodys(path: string): string {
  return path.replace(
    /(?<=(?:run|file|msg|acc|key)_)[0-9a-f]{32}/,
    (digits) => digits.slice(16) + digits.slice(0, 16),
  );
}

function doors(): readonly (readonly [method: string, path: string])[] {
  const { run, waiting, file, content, delivery } = owned;
  const ofRuns = [run, waiting].flatMap((id) => [
    ["GET", `/v1/job/${id}`] as const,
    ["GET", `/v1/run/${id}`] as const,
    ["GET", `/v1/run/${id}/events`] as const,
    ["POST", `/v1/run/${id}/cancel`] as const,
    ["POST", `/v1/run/${id}/news/${"A".repeat(43)}`] as const,
  ]);
  return [
    ...ofRuns,
    ["GET", `/v1/files/${file}`],
    ["DELETE", `/v1/files/${file}`],
    ["GET", `/v1/files/${file}/content`],
    ["GET", `/v1/files/${file}/content${content.replace(/=[^=]$/, "=")}x`],
    ["GET", `/v1/files/${file}/content?expires=9999999999&signature=x`],
    ["GET", `/v1/webhooks/deliveries/${delivery}`],
    ["POST", `/v1/webhooks/deliveries/${delivery}/replay`],
  ];
}

test("T-01 runs, jobs, events, files and deliveries of another account are told like ids that nobody has", async () => {
  const sent = receiver.visits.length;
  for (const [who, key] of Object.entries(strangers)) {
    for (const [method, path] of doors()) {
      const { ms: _theirs, ...theirs } = await ask(key, method, path);
      const { ms: _nobodys, ...none } = await ask(key, method, nobodys(path));
      assert.equal(theirs.status, 404, `${who}: ${method} ${path}: ${theirs.text}`);
      assert.deepEqual(theirs, none, `${who}: ${method} ${path}`);
    }
  }
  assert.equal(receiver.visits.length, sent, "nothing was sent again");
});

test("T-01 nothing of another account is changed, and no key of a customer opens the doors to accounts and keys", async () => {
  const { run, file, delivery } = owned;
  const [account, key] = [`/admin/v1/accounts/${ada.accountId}`, `/admin/v1/keys/${ada.keyId}`];
  const closed = [
    ...["PUT", "PATCH", "POST"].map((method) => [method, `/v1/files/${file}`] as const),
    ...["PUT", "PATCH", "DELETE"].map((method) => [method, `/v1/run/${run}`] as const),
    ...["PUT", "PATCH", "DELETE"].map((method) => [method, `/v1/webhooks/deliveries/${delivery}`] as const),
    ...["", "/keys", "/transfers"].map((part) => ["GET", account + part] as const),
    ...[["PATCH", account] as const, ["POST", `${account}/keys`] as const, ["DELETE", key] as const],
  ];
  for (const [who, own] of Object.entries({ ...strangers, "the account itself": ada.key })) {
    for (const [method, path] of closed) {
      const { ms: _theirs, ...theirs } = await ask(own, method, path);
      const { ms: _nobodys, ...none } = await ask(own, method, nobodys(path));
      assert.ok([401, 403, 404, 405].includes(theirs.status), `${who}: ${method} ${path}: ${theirs.text}`);
      assert.deepEqual(theirs, none, `${who}: ${method} ${path}`);
    }
  }
});

test("T-01 what belongs to others is refused in about the time that what nobody has is", async () => {
  const key = strangers["another account"] ?? "";
  for (const path of [
    `/v1/job/${owned.run}`,
    `/v1/files/${owned.file}`,
    `/v1/webhooks/deliveries/${owned.delivery}`,
  ]) {
    const theirs: number[] = [];
    const none: number[] = [];
    // In turns, so that a busy machine makes both slow.
    for (let tries = 0; tries < 120; tries += 1) {
      theirs.push((await ask(key, "GET", path)).ms);
      none.push((await ask(key, "GET", nobodys(path))).ms);
    }
    const [one, other] = [median(theirs), median(none)];
    assert.ok(
      Math.abs(one - other) < Math.max(5, 0.5 * Math.min(one, other)),
      `${path}: ${one} and ${other} ms`,
    );
  }
});

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

test("T-01 no list of another account, or of the other mode, shows them", async () => {
  const lists = [
    "/v1/job?limit=200",
    "/v1/files?limit=1000",
    "/v1/webhooks/deliveries?limit=200",
    "/v1/usage",
    "/v1/balance",
  ];
  for (const [who, key] of Object.entries(strangers)) {
    for (const path of lists) {
      const { status, text } = await ask(key, "GET", path);
      assert.equal(status, 200, `${path}: ${text}`);
      for (const id of [owned.run, owned.waiting, owned.file, owned.delivery])
        assert.ok(
          !text.includes(id) && !text.includes(id.replace("run_", "call_")),
          `${who}: ${path} shows ${id}`,
        );
    }
  }
});

test("T-01 all that was tried changed nothing: another key of the same account has it all, and may call it off", async () => {
  const key = (await gateway.admin("POST", `/accounts/${ada.accountId}/keys`, { mode: "live" })).body.key;
  assert.match((await ask(key, "GET", `/v1/job/${owned.run}`)).text, /"status":"completed"/);
  assert.match((await ask(key, "GET", `/v1/run/${owned.waiting}`)).text, /"status":"running"/);
  assert.match((await ask(key, "GET", `/v1/run/${owned.run}/events`)).text, /event: completed/);
  for (const path of [`/v1/files/${owned.file}`, `/v1/files/${owned.file}/content`])
    assert.equal((await ask(key, "GET", path)).status, 200, path);
  assert.equal((await fetch(`${gateway.url}/v1/files/${owned.file}/content${owned.content}`)).status, 200);
  assert.equal((await ask(key, "GET", `/v1/webhooks/deliveries/${owned.delivery}`)).status, 200);
  assert.match((await ask(key, "POST", `/v1/run/${owned.waiting}/cancel`)).text, /"status":"canceled"/);
});

type Asked = { readonly id: unknown; readonly wasReplayed: boolean; readonly headers: readonly string[] };

async function askedOnce(key: string, body: object): Promise<Asked> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "idempotency-key": "the-same-for-all",
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const headers = [...response.headers.keys()].toSorted();
  return { id: JSON.parse(text).id, wasReplayed: response.headers.has("idempotent-replayed"), headers };
}

test("T-02 of equal requests, with an equal idempotency key, each account and mode gets an answer of its own", async () => {
  const [ben = "", benInTests = "", adaInTests = ""] = Object.values(strangers);
  const fox = { model: "flux-1.1-pro", inputs: { prompt: "the very same fox" } };
  const file = { model: "m-file", inputs: { answer: { url: `${provider.origin}/file/64` } } };
  for (const { body, keys } of [
    { body: fox, keys: [benInTests, adaInTests] },
    { body: file, keys: [ada.key, ben] },
  ]) {
    const first: Asked[] = [];
    for (const key of keys) first.push(await askedOnce(key, body));
    assert.deepEqual(first[1]?.headers, first[0]?.headers, "nothing tells that another asked before");
    assert.deepEqual(
      first.map(({ wasReplayed }) => wasReplayed),
      [false, false],
    );
    const again = await Promise.all(keys.map((key) => askedOnce(key, body)));
    for (const [index, { id }] of again.entries())
      assert.ok(
        first.every((one, other) => other === index || one.id !== id),
        "told what another was told",
      );
    assert.notEqual(first[0]?.id, first[1]?.id);
  }
});

test("T-04 a provider learns neither who asks nor with which key, and never the balance", () => {
  const seen = JSON.stringify(provider.visits);
  assert.ok(provider.visits.length > 5);
  const keys = [ada.key, ...Object.values(strangers)];
  for (const secret of [ada.accountId, ada.keyId, ...keys]) assert.ok(!seen.includes(secret), secret);
  for (const { headers } of provider.visits) {
    assert.equal(headers.authorization, `Bearer ${hostileSecret}`);
    assert.deepEqual(
      Object.keys(headers).filter((name) => /skillboss|forwarded|cookie|balance|idempotency|x-/i.test(name)),
      [],
    );
  }
});
