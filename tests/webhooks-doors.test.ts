import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, beforeEach, test } from "node:test";
import { Webhook } from "standardwebhooks";
import type { DeliveryWorker } from "../src/calls/webhooks/delivery-worker.ts";
import { webhooksOf } from "../src/calls/webhooks/webhooks.ts";
import {
  answering,
  decidedRun,
  endRun,
  loopbackEgress,
  masterSecret,
  startReceiver,
  taken,
} from "../src/calls/webhooks/webhooks-under-test.ts";
import type { Answer, Receiver } from "../src/calls/webhooks/webhooks-under-test.ts";
import { finishedMessage } from "../src/calls/runs/run-view.ts";
import { runStoreOf } from "../src/calls/runs/sql-run-store.ts";
import type { Mode } from "../src/core/caller.ts";
import { TurnableClock } from "../src/core/clock.ts";
import { newId } from "../src/core/ids.ts";
import { silentLog } from "../src/core/log.ts";
import type { Egress } from "../src/egress/egress.ts";
import { frontServer } from "../src/http/server.ts";
import { webhookDoors } from "../src/http/webhooks.ts";
import { accountsOf } from "../src/identity/accounts.ts";
import { doorkeeper } from "../src/identity/doorkeeper.ts";
import { keysOf } from "../src/identity/keys.ts";
import { openHome } from "../src/ledger/ledger-homes.test-support.ts";
import type { LedgerHome } from "../src/ledger/ledger-homes.test-support.ts";

/** The customer's doors to webhooks over real HTTP: dead letters, replays, the secret, and what nobody else sees. */

let home: LedgerHome;
let receiver: Receiver;
let answer: Answer = taken;
let egress: Egress;
let worker: DeliveryWorker;
let origin = "";
let stopServer: () => void;
let clock: TurnableClock;

before(async () => {
  clock = new TurnableClock(new Date().getTime());
  const opened = await openHome("embedded");
  home = typeof opened === "string" ? assert.fail(opened) : opened;
  receiver = await startReceiver((request, response) => answer(request, response));
  egress = loopbackEgress();
  const settings = { database: home.database, egress, clock, log: silentLog, secret: masterSecret };
  const webhooks = webhooksOf({ ...settings, backoffMs: 5_000 });
  worker = webhooks.worker;
  const { deliveries, secrets } = webhooks;
  const server = frontServer({
    doors: webhookDoors({ deliveries, secrets, nudge: () => worker.nudge() }),
    doorkeeper: doorkeeper({ database: home.database, clock, operatorToken: "op-x" }),
    log: silentLog,
    maxBodyBytes: 10_000,
    headersFor: async () => ({}),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  origin = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  stopServer = () => server.close().closeAllConnections();
});
beforeEach(() => {
  answer = taken;
  receiver.forget();
});
after(async () => {
  stopServer();
  await worker.stop(0);
  await egress.stop();
  await receiver.stop();
  await home.close();
});

type Customer = { readonly accountId: string; readonly mode: Mode; readonly key: string };

async function customer(mode: Mode = "live", accountId?: string): Promise<Customer> {
  const accounts = accountsOf(home.database, async () => undefined);
  const id = accountId ?? (await accounts.create({ name: "ada", plan: "pro" })).id;
  const { secret } = await keysOf(home.database).issue({ accountId: id, mode });
  return { accountId: id, mode, key: secret };
}

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
type Told = { readonly status: number; readonly body: any; readonly text: string };

async function ask({ key }: Pick<Customer, "key">, path: string, method = "GET"): Promise<Told> {
  const response = await fetch(`${origin}/v1/webhooks/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await response.text();
  assert.equal(response.headers.get("content-type"), "application/json");
  return { status: response.status, body: JSON.parse(text), text };
}

/** A message that its receiver did not want, to begin with. */
async function refusedMessage({ accountId, mode }: Customer): Promise<string> {
  answer = answering(410);
  const id = await endRun(home.database, { url: receiver.url(), accountId, mode });
  worker.nudge();
  await worker.whenIdle();
  answer = taken;
  return id;
}

test("W-02 What was not delivered is listed, read and replayed under the same id", async () => {
  const ada = await customer();
  const id = await refusedMessage(ada);
  const { body: list } = await ask(ada, "deliveries?state=refused");
  assert.deepEqual(list, { object: "list", data: [list.data[0]], has_more: false });
  const [shown] = list.data;
  const { run_id: runId, created_at: createdAt, ...rest } = shown;
  assert.match(runId, /^run_[0-9a-f]{32}$/);
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
  assert.deepEqual(rest, {
    id,
    object: "webhook_delivery",
    url: receiver.url(),
    state: "refused",
    tries: 1,
    replays: 0,
    last_status: 410,
    last_fault: "gone",
    next_try_at: null,
    delivered_at: null,
  });
  const { body: whole } = await ask(ada, `deliveries/${id}`);
  assert.deepEqual(whole, { ...shown, body: receiver.visits[0]?.body });

  const replayed = await ask(ada, `deliveries/${id}/replay`, "POST");
  assert.equal(replayed.status, 202);
  assert.deepEqual([replayed.body.state, replayed.body.tries], ["waiting", 0]);
  assert.equal(replayed.body.replays, 1);
  assert.equal(replayed.body.next_try_at, new Date(clock.now()).toISOString());
  await worker.whenIdle();
  assert.deepEqual(
    receiver.visits.map(({ headers }) => headers["webhook-id"]),
    [id, id],
  );
  const { body: now } = await ask(ada, `deliveries/${id}`);
  assert.deepEqual([now.state, now.tries, now.last_status, now.last_fault], ["delivered", 1, 204, null]);
  assert.equal((await ask(ada, "deliveries?state=refused")).body.data.length, 0);
});

test("Lists are paged newest first, without gap or repetition", async () => {
  const ada = await customer("test");
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1)
    ids.unshift(await endRun(home.database, { ...ada, url: receiver.url() }));
  const seen: string[] = [];
  for (let after = ""; ;) {
    const { body } = await ask(ada, `deliveries?limit=2${after === "" ? "" : `&after=${after}`}`);
    seen.push(...body.data.map((one: { readonly id: string }) => one.id));
    if (!body.has_more) break;
    after = seen.at(-1) ?? "";
  }
  assert.deepEqual(seen, ids);
});

test("Wrong parameters are refused with their name", async () => {
  const ada = await customer();
  const others = await refusedMessage(await customer());
  const wrong: Readonly<Record<string, string>> = {
    "limit=0": "limit",
    "limit=201": "limit",
    "limit=1e2": "limit",
    "limit=": "limit",
    "state=lost": "state",
    "state=": "state",
    "after=x": "after",
    "after=msg_%27": "after",
    [`after=${newId("msg")}`]: "after",
    [`after=${others}`]: "after",
  };
  for (const [query, param] of Object.entries(wrong)) {
    const { status, body } = await ask(ada, `deliveries?${query}`);
    assert.deepEqual([status, body.error.code, body.error.param], [400, "invalid_request", param], query);
  }
});

test("T-01 Another account's message, the other mode's and a random id are the same: not found", async () => {
  const ada = await customer();
  const id = await refusedMessage(ada);
  const before = await ask(ada, `deliveries/${id}`);
  const bob = await customer();
  const adaTesting = await customer("test", ada.accountId);
  const told = async (who: Customer, path: string, method: string) => {
    const { status, body } = await ask(who, path, method);
    return { status, error: { ...body.error, request_id: "" } };
  };
  for (const [suffix, method] of [
    ["", "GET"],
    ["/replay", "POST"],
  ] as const) {
    const random = await told(bob, `deliveries/${newId("msg")}${suffix}`, method);
    assert.deepEqual([random.status, random.error.code], [404, "not_found"]);
    for (const who of [bob, adaTesting])
      assert.deepEqual(await told(who, `deliveries/${id}${suffix}`, method), random);
    for (const odd of ["x", "msg_1", "%20", "msg_%27%3B--"])
      assert.deepEqual(await told(bob, `deliveries/${odd}${suffix}`, method), random);
  }
  for (const who of [bob, adaTesting]) assert.equal((await ask(who, "deliveries")).body.data.length, 0);
  assert.deepEqual((await ask(ada, `deliveries/${id}`)).body, before.body);
  assert.equal(receiver.visits.length, 1);
});

test("Without a key nothing is told", async () => {
  for (const [path, method] of [
    ["deliveries", "GET"],
    [`deliveries/${newId("msg")}`, "GET"],
    [`deliveries/${newId("msg")}/replay`, "POST"],
    ["secret", "GET"],
    ["secret/rotate", "POST"],
  ] as const)
    assert.equal((await ask({ key: "sk-wrong" }, path, method)).status, 401, path);
});

test("W-01 The secret that the door shows verifies what arrives, before and after a rotation", async () => {
  const ada = await customer();
  const { body: first } = await ask(ada, "secret");
  assert.deepEqual(
    { ...first, secret: "" },
    { object: "webhook_secret", mode: "live", secret: "", generation: 1, replaced: [] },
  );
  const { body: second } = await ask(ada, "secret/rotate", "POST");
  assert.equal(second.generation, 2);
  assert.deepEqual(second.replaced, [
    { generation: 1, signs_until: new Date(clock.now() + 86_400_000).toISOString() },
  ]);
  assert.deepEqual((await ask(ada, "secret")).body, second);
  await refusedMessage(ada);
  const [visit] = receiver.visits;
  const headers = Object.fromEntries(
    Object.entries(visit?.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  for (const { secret } of [first, second]) assert.ok(new Webhook(secret).verify(visit?.body ?? "", headers));
  for (const other of [await customer(), await customer("test", ada.accountId)])
    assert.ok(![first.secret, second.secret].includes((await ask(other, "secret")).body.secret));
});

test("V-01 No signing secret is in the database", async () => {
  const ada = await customer();
  const secrets = [
    (await ask(ada, "secret")).body.secret,
    (await ask(ada, "secret/rotate", "POST")).body.secret,
  ];
  const id = await refusedMessage(ada);
  const rows = [
    ...(await home.database.kysely.selectFrom("replaced_webhook_secrets").selectAll().execute()),
    ...(await home.database.kysely.selectFrom("deliveries").selectAll().where("id", "=", id).execute()),
  ];
  const stored = JSON.stringify(rows);
  for (const secret of secrets.map((one: string) => one.replace("whsec_", "")))
    for (const form of [secret, Buffer.from(secret, "base64").toString("hex")])
      assert.ok(!stored.includes(form));
});

test("W-04 A message has what the run's owner may read and nothing else", async () => {
  const ada = await customer();
  const store = runStoreOf(home.database, "node_hidden");
  const row = await decidedRun(store, {
    ...ada,
    url: receiver.url(),
    row: {
      memory: { token: "hidden-memory" },
      inputs: { secret: "hidden-input" },
      price: { rate: "hidden-price" },
    },
  });
  await store.end(row, 1n, finishedMessage({ ...row, state: "over", ended_at: new Date() }));
  worker.nudge();
  await worker.whenIdle();
  const [visit] = receiver.visits;
  const message = JSON.parse(visit?.body ?? "");
  assert.deepEqual(Object.keys(message).toSorted(), ["data", "timestamp", "type"]);
  const sent = `${visit?.body ?? ""}${JSON.stringify(visit?.headers)}`;
  const { secret } = (await ask(ada, "secret")).body;
  for (const hidden of [
    ...["hidden", "key_of_the_caller", "token=theirs", masterSecret, "op-x"],
    ...[ada.key, ada.accountId, secret, secret.replace("whsec_", "")],
  ])
    assert.ok(!sent.includes(hidden), hidden);
});

test("W-04 What a receiver answers is shown nowhere", async () => {
  const ada = await customer();
  answer = (_, response) =>
    void response
      .writeHead(500, { "content-type": "text/html", "x-mark": "their-header" })
      .end(`<script>their-body</script>${"x".repeat(3_000)}`);
  const id = await endRun(home.database, { url: receiver.url(), ...ada });
  worker.nudge();
  await worker.whenIdle();
  for (const path of ["deliveries", `deliveries/${id}`, "deliveries?state=waiting"]) {
    const { text, body } = await ask(ada, path);
    assert.ok(text.includes('"last_status":500'), text);
    assert.ok(!/their-body|their-header|script|xxx/.test(text), text);
    assert.equal((body.data?.[0] ?? body).last_fault, "status");
  }
});
