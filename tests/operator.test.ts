/** What the operator does over HTTP: accounts, keys, credits, transfers and the audit; and case L-07 of the test plan. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import pg from "pg";
import { chatToEnd, hello, startChat } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import { ok, status } from "./support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { AdminAnswer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { micro } from "./support/money-trail.ts";
import { streamUntil } from "./support/open-ended.ts";
import {
  accountOf,
  assertGrantedOnce,
  assertPlanChangeHolds,
  assertRevokedEverywhere,
  nothing,
} from "./support/operator-promises.ts";
import { assertFaultsFound } from "./support/planted-faults.ts";
import { startPostgres } from "./support/postgres.ts";
import { linesInEveryPageSize, sumsOf } from "./support/transfer-pages.ts";
import { unknownMembers, wrongModesOfTransfers, wrongWishes } from "./support/wrong-wishes.ts";
import type { WrongWish } from "./support/wrong-wishes.ts";

let upstream: FakeUpstream;
let gateway: Gateway;

before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({ p1: upstream.baseUrl });
});
after(() => endsClean(gateway, upstream));

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("an account is made, read, listed and changed in one form, with both balances to six places", async () => {
  const limits = { concurrent_requests: 3 };
  const made = await gateway.admin("POST", "/accounts", { name: "Ada", plan: "starter", limits });
  const { id, created_at } = made.body;
  assert.match(id, /^acc_[0-9a-f]{32}$/);
  assert.match(created_at, isoTime);
  const account = {
    ...{ id, name: "Ada", plan: "starter", created_at },
    limits: { requests_per_minute: 60, concurrent_requests: 3 },
    balances: { live: nothing, test: nothing },
  };
  assert.deepEqual([made.status, made.body], [201, account]);

  await gateway.admin("POST", `/accounts/${id}/credits`, { credits: "25.00", mode: "live", reason: "a" });
  await gateway.admin("POST", `/accounts/${id}/credits`, { credits: "0.000001", mode: "test", reason: "b" });
  const balances = {
    live: { available: "25.000000", held: "0.000000" },
    test: { available: "0.000001", held: "0.000000" },
  };
  const read = await gateway.admin("GET", `/accounts/${id}`);
  assert.deepEqual([read.status, read.body], [200, { ...account, balances }]);
  const list = await gateway.admin("GET", "/accounts");
  assert.deepEqual([list.status, Object.keys(list.body)], [200, ["object", "data"]]);
  const listed = list.body.data.filter((one: { readonly id: string }) => one.id === id);
  assert.deepEqual(listed, [read.body]);

  const change = { name: "Eva", plan: "free", limits: { requests_per_minute: 7, concurrent_requests: null } };
  const changed = await gateway.admin("PATCH", `/accounts/${id}`, change);
  const now = { ...change, limits: { requests_per_minute: 7, concurrent_requests: 2 } };
  assert.deepEqual([changed.status, changed.body], [200, { ...read.body, ...now }]);
  assert.deepEqual((await gateway.admin("PATCH", `/accounts/${id}`, {})).body, changed.body);
  assert.deepEqual((await gateway.admin("GET", `/accounts/${id}`)).body, changed.body);
  assert.equal((await gateway.admin("GET", `/accounts/${await accountOf(gateway)}`)).body.plan, "free");
});

test("a key is shown in the answer that makes it and nowhere else, and is gone when it is deleted", async () => {
  const id = await accountOf(gateway);
  const path = `/accounts/${id}/keys`;
  const wish = { name: "CI", mode: "test", limits: { requests_per_minute: 5 }, models: ["m-chat"] };
  const made = await gateway.admin("POST", path, wish);
  const plain = await gateway.admin("POST", path, { mode: "live" });
  const secrets = [made.body.key, plain.body.key];
  assert.match(secrets[0], /^sk-test-[\w-]{43}$/);
  assert.match(secrets[1], /^sk-(?!test-)[\w-]{43}$/);
  const shown = (answer: AdminAnswer, more: Readonly<Record<string, unknown>>) => {
    const { id: keyId, key, created_at } = answer.body;
    assert.match(keyId, /^key_[0-9a-f]{32}$/);
    assert.match(created_at, isoTime);
    return { id: keyId, account_id: id, prefix: key.slice(0, 12), created_at, ...more };
  };
  const limits = { requests_per_minute: 5, concurrent_requests: 2 };
  const first = shown(made, { ...wish, limits });
  const usual = { requests_per_minute: 10, concurrent_requests: 2 };
  const second = shown(plain, { name: null, mode: "live", limits: usual, models: null });
  assert.deepEqual([made.status, made.body], [201, { ...first, key: secrets[0] }]);
  assert.deepEqual([plain.status, plain.body], [201, { ...second, key: secrets[1] }]);
  const list = await gateway.admin("GET", path);
  assert.deepEqual([list.status, list.body], [200, { object: "list", data: [first, second] }]);

  const answers = [list, await gateway.admin("PATCH", `/accounts/${id}`, { name: "other" })];
  for (const secret of secrets) {
    for (const door of ["/v1/balance", "/v1/usage", "/v1/models/m-chat"])
      answers.push(await gateway.get(secret, door));
  }
  for (const one of ["/accounts", `/accounts/${id}`, `/accounts/${id}/transfers`])
    answers.push(await gateway.admin("GET", one));
  for (const [index, answer] of answers.entries()) {
    assert.equal(answer.status, 200, `answer ${index}`);
    for (const secret of secrets) assert.ok(!JSON.stringify(answer.body).includes(secret.slice(0, 20)));
  }
  for (const secret of secrets) assert.ok(!gateway.log().includes(secret.slice(0, 20)));

  const gone = await gateway.admin("DELETE", `/keys/${made.body.id}`);
  assert.deepEqual([gone.status, gone.body], [204, undefined]);
  assert.equal((await gateway.get(secrets[0], "/v1/balance")).status, 401);
  assert.equal((await gateway.admin("DELETE", `/keys/${made.body.id}`)).status, 404);
  assert.deepEqual((await gateway.admin("GET", path)).body.data, [second]);
});

test("a grant is made once per account and Idempotency-Key, and another amount, mode or reason under it is refused", () =>
  assertGrantedOnce([gateway]));

test("paging through the transfers gives every line once, in order, and their sums are the books", async () => {
  const customer = await gateway.customer({ credits: "2.00" });
  const path = `/accounts/${customer.accountId}`;
  await gateway.admin("POST", `${path}/credits`, { credits: "3.5", mode: "live" });
  await gateway.admin("POST", `${path}/credits`, { credits: "9", mode: "test" });
  // A settlement, one with a loss, and a release.
  for (const behaviour of [ok(), ok({ tokens: 900, prompt: 90_000, overruns: true }), status(400)]) {
    upstream.script("m-chat", behaviour);
    for (const stream of [false, true]) {
      const body = { model: "m-chat", messages: hello, max_tokens: 10, stream };
      await chatToEnd({ url: gateway.url, key: customer.key, body });
    }
  }
  const lines = await linesInEveryPageSize(gateway, `${path}/transfers?mode=live`);
  // Grants, holds and releases have two lines each, settlements three, and four with a loss.
  assert.equal(lines.length, 2 * 2 + 6 * 2 + 2 * 3 + 2 * 4 + 2 * 2);
  const sums = sumsOf(lines);
  const { body: account } = await gateway.admin("GET", path);
  const { available, held } = account.balances.live;
  assert.deepEqual([sums.available, sums.held], [micro(available), micro(held)]);
  const { body: usage } = await gateway.get(customer.key, "/v1/usage");
  assert.deepEqual([sums.grants, sums.revenue + sums.loss], [-5_500_000n, micro(usage.total.credits)]);
  assert.ok(sums.loss < 0n && sums.held === 0n);
  assert.equal(sums.available + sums.held + sums.revenue + sums.loss + sums.grants, 0n);
  const tested = await linesInEveryPageSize(gateway, `${path}/transfers?mode=test`);
  assert.deepEqual(
    tested.map((line) => [line.book, line.amount]),
    [
      ["grants", "-9.000000"],
      ["available", "9.000000"],
    ],
  );
});

test("the audit counts every book, every transfer, and the holds of the calls that run", async () => {
  const customer = await gateway.customer({ credits: "1.00" });
  const { body: quiet } = await gateway.admin("POST", "/audit");
  assert.deepEqual(Object.keys(quiet), ["ok", "books", "transfers", "open_holds", "faults"]);
  assert.deepEqual([quiet.ok, quiet.open_holds, quiet.faults], [true, 0, []]);
  const { body: accounts } = await gateway.admin("GET", "/accounts");
  assert.equal(quiet.books, 2 * accounts.data.length);
  const ids = new Set<string>();
  for (const { id } of accounts.data) {
    for (const mode of ["live", "test"]) {
      const { body } = await gateway.admin("GET", `/accounts/${id}/transfers?mode=${mode}&limit=1000`);
      for (const line of body.data) ids.add(line.id);
    }
  }
  assert.equal(quiet.transfers, ids.size);

  let isEnough = false;
  upstream.script(
    "m-chat",
    streamUntil(() => isEnough),
  );
  const body = { model: "m-chat", messages: hello, stream: true, max_tokens: 1000 };
  const running = [1, 2, 3].map(() => startChat({ url: gateway.url, key: customer.key, body }));
  await eventually(() => running.every((one) => one.deltas > 0), 5_000);
  const { body: busy } = await gateway.admin("POST", "/audit");
  assert.deepEqual(busy, { ...quiet, transfers: quiet.transfers + 3, open_holds: 3 });
  const { body: account } = await gateway.admin("GET", `/accounts/${customer.accountId}`);
  const { available, held } = account.balances.live;
  assert.ok(micro(held) >= 3n * 1000n * 10n, held);
  assert.equal(micro(available) + micro(held), 1_000_000n);
  isEnough = true;
  await Promise.all(running.map((one) => one.over));
  const { body: after } = await gateway.admin("POST", "/audit");
  assert.deepEqual(after, { ...quiet, transfers: quiet.transfers + 6 });
});

test("L-07 a changed plan or limit holds for existing keys within 5 s, and running streams go on", () =>
  assertPlanChangeHolds([gateway], upstream));

async function assertAllRefused(wishes: readonly WrongWish[]): Promise<void> {
  const id = await accountOf(gateway);
  const everything = async () => {
    const { body: keys } = await gateway.admin("GET", `/accounts/${id}/keys`);
    const { body: accounts } = await gateway.admin("GET", "/accounts");
    return [keys, accounts];
  };
  const before = await everything();
  for (const { method, path, body, param } of wishes) {
    const answer = await gateway.admin(method, path.replace("{id}", id), body);
    const label = `${method} ${path} ${JSON.stringify(body)?.slice(0, 100)}: ${JSON.stringify(answer.body)}`;
    assert.equal(answer.status, 400, label);
    const { error } = answer.body;
    assert.deepEqual(
      [error.type, error.code, error.param],
      ["invalid_request_error", "invalid_request", param],
      label,
    );
    assert.ok(error.message.startsWith(`${param}: `), label);
  }
  assert.deepEqual(await everything(), before, "nothing was made or changed");
}

test("a wrong value is refused by the name of its member, and changes nothing", () =>
  assertAllRefused(wrongWishes));

test("a member that nobody knows is refused by its name, and changes nothing", () =>
  assertAllRefused(unknownMembers));

test("transfers of a mode that there is not are refused, not answered with another mode's", () =>
  assertAllRefused(wrongModesOfTransfers));

test("what is asked of an account or key that there is not is 404", async () => {
  const id = "acc_00000000000000000000000000000000";
  const grant = { credits: "1.00", mode: "live" };
  const asked = [
    ["GET", `/accounts/${id}`],
    ["PATCH", `/accounts/${id}`, { plan: "pro" }],
    ["GET", `/accounts/${id}/keys`],
    ["POST", `/accounts/${id}/keys`, { mode: "live" }],
    ["POST", `/accounts/${id}/credits`, grant],
    ["GET", `/accounts/${id}/transfers`],
    ["DELETE", "/keys/key_00000000000000000000000000000000"],
    ["GET", "/accounts/'%20or%20true--"],
  ] as const;
  for (const [method, path, body] of asked) {
    const answer = await gateway.admin(method, path, body);
    assert.deepEqual([answer.status, answer.body.error.code], [404, "not_found"], `${method} ${path}`);
  }
});

suite("two nodes on one PostgreSQL", () => {
  let nodes: readonly [Gateway, Gateway];
  let database: pg.Client;
  let skipped: string | undefined;

  before(async () => {
    const postgres = await startPostgres();
    if ("skipped" in postgres) {
      skipped = postgres.skipped;
      return;
    }
    const databaseUrl = await postgres.freshDatabase();
    const settings = { p1: upstream.baseUrl, databaseUrl };
    nodes = [await startGatewayProcess(settings), await startGatewayProcess(settings)];
    database = new pg.Client({ connectionString: databaseUrl });
    await database.connect();
  });
  after(async () => {
    if (skipped !== undefined) return;
    await database.end();
    await Promise.all(nodes.map((node) => endsClean(node)));
    const postgres = await startPostgres();
    if (!("skipped" in postgres)) await postgres.stop();
  });
  const guarantee = (name: string, check: () => Promise<void>): void => {
    test(name, (t) => (skipped === undefined ? check() : t.skip(skipped)));
  };

  guarantee("a revoked key is refused at once where it was revoked, and within a second elsewhere", () =>
    assertRevokedEverywhere(nodes),
  );

  guarantee("a grant that is asked for on both nodes at once is made once", () => assertGrantedOnce(nodes));

  guarantee("L-07 a plan or limit changed on one node holds on the other within 5 s", () =>
    assertPlanChangeHolds(nodes, upstream),
  );

  guarantee(
    "the audit finds what was changed behind the ledger's back, and names the account or the call",
    async () => {
      upstream.script("m-chat", ok());
      const customer = await nodes[0].customer();
      const neighbour = await nodes[0].customer();
      for (const { key } of [customer, neighbour]) {
        const call = await chatToEnd({ url: nodes[0].url, key, body: { model: "m-chat", messages: hello } });
        assert.equal(call.status, 200);
      }
      await assertFaultsFound({ node: nodes[1], database, accountId: customer.accountId });
    },
  );
});
