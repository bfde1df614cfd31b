import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createClient } from "./client.ts";
import type { Client } from "./client.ts";
import { ClientError, ServerUnreachable } from "./errors.ts";
import { startFakeApi } from "./fake-api.ts";
import type { FakeApi, FakeReplies } from "./fake-api.ts";

let fake: FakeApi | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

async function clientOf(replies: FakeReplies): Promise<{ readonly client: Client; readonly api: FakeApi }> {
  fake = await startFakeApi(replies);
  return { client: createClient({ baseUrl: `${fake.url}/`, token: "sk-test-x" }), api: fake };
}

async function failureOf(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClientError, `want a ClientError, got ${String(error)}`);
  return error;
}

test("A refusal has status, code, message, parameter, request id and seconds to wait.", async () => {
  const error = {
    message: "Too many.",
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
    param: "model",
    request_id: "req_1",
    limit: 10,
  };
  const { client } = await clientOf({
    "GET /v1/balance": { status: 429, headers: { "retry-after": "7" }, body: { error } },
  });
  const failure = await failureOf(client.balance());
  assert.equal(failure.status, 429);
  assert.equal(failure.code, "rate_limit_exceeded");
  assert.equal(failure.message, "Too many.");
  assert.equal(failure.param, "model");
  assert.equal(failure.requestId, "req_1");
  assert.equal(failure.retryAfterSeconds, 7);
  assert.deepEqual(failure.error, error);
});

test("An answer that is not of our API is a failure that names the address, whatever its status.", async () => {
  const bodies = ["<html>", "", "[]", "null", '{"other":1}', '{"error":"text"}'];
  for (const status of [200, 302, 404, 502]) {
    for (const body of bodies) {
      const { client, api } = await clientOf({ "GET /v1/balance": { status, body } });
      const failure = await failureOf(client.balance());
      assert.equal(failure.code, "unreadable_answer", `${status} ${body}`);
      assert.equal(failure.status, status);
      assert.ok(failure.message.includes(api.url));
      await api.close();
    }
  }
});

test("A server that is not there is told with its address and the reason.", async () => {
  const { client, api } = await clientOf({});
  await api.close();
  await assert.rejects(client.audit(), (error: unknown) => {
    assert.ok(error instanceof ServerUnreachable);
    assert.equal(error.url, `${api.url}/`);
    assert.match(error.message, /ECONNREFUSED.*skillboss serve/);
    return true;
  });
});

test("The token goes as bearer, a body as JSON, and absent members not at all.", async () => {
  const account = { id: "acc_1", name: "ada", balances: {} };
  const { client, api } = await clientOf({ "POST /admin/v1/accounts": { status: 201, body: account } });
  const wish = { name: "ada", plan: undefined, limits: { requests_per_minute: null } };
  assert.deepEqual(await client.accounts.create(wish), account);
  const [asked] = api.asked;
  assert.equal(asked?.headers.authorization, "Bearer sk-test-x");
  assert.equal(asked?.headers["content-type"], "application/json");
  assert.deepEqual(asked?.body, { name: "ada", limits: { requests_per_minute: null } });
});

test("A grant sends its Idempotency-Key as a header and nothing of it in the body.", async () => {
  const answer = { transfer_id: "grant_1", balances: {} };
  const { client, api } = await clientOf({ "POST /admin/v1/accounts/acc_1/credits": { body: answer } });
  const wish = { accountId: "acc_1", credits: "2.50", mode: "test", idempotencyKey: "k-1" } as const;
  assert.deepEqual(await client.credits.grant(wish), answer);
  assert.equal(api.asked[0]?.headers["idempotency-key"], "k-1");
  assert.deepEqual(api.asked[0]?.body, { credits: "2.50", mode: "test" });
});

test("Transfers are asked for page by page, each after the last line of the one before.", async () => {
  const line = (sequence: number) => ({ sequence });
  const { client, api } = await clientOf({
    "GET /admin/v1/accounts/acc_1/transfers": ({ path }) =>
      path.includes("after=5")
        ? { body: { data: [line(6)], has_more: false } }
        : { body: { data: [line(4), line(5)], has_more: true } },
  });
  const sequences: number[] = [];
  const pages = client.transfers({ accountId: "acc_1", mode: "live", after: 3, pageSize: 2 });
  for await (const page of pages) sequences.push(...page.data.map((one) => one.sequence));
  assert.deepEqual(sequences, [4, 5, 6]);
  assert.deepEqual(
    api.asked.map((one) => one.path.split("?")[1]),
    ["mode=live&after=3&limit=2", "mode=live&after=5&limit=2"],
  );
});

test("The slashes of a model's id stay, everything else is encoded, and a step up is never asked for.", async () => {
  const body = { id: "openai/a b?", type: "chat", prices: [] };
  const { client, api } = await clientOf({ "GET /v1/models/openai/a%20b%3F": { body } });
  assert.equal((await client.models.read("openai/a b?")).id, body.id);
  for (const id of ["../balance", "a/./b", ""]) {
    assert.equal((await failureOf(client.models.read(id))).code, "not_found");
  }
  assert.equal((await failureOf(client.keys.revoke(".."))).status, 404);
  assert.equal(api.asked.length, 1);
});

test("Types, period and model go into the query.", async () => {
  const { client, api } = await clientOf({
    "GET /v1/models": { body: { data: [], available_types: {} } },
    "GET /v1/usage": { body: { total: {}, by_model: [], recent: [] } },
  });
  await client.models.list({ types: ["chat", "image"] });
  await client.models.list();
  await client.usage({ period: "day", model: "gpt 4" });
  assert.deepEqual(
    api.asked.map((one) => one.path),
    ["/v1/models?types=chat%2Cimage", "/v1/models", "/v1/usage?period=day&model=gpt+4"],
  );
});

test("An answer without a body is an answer.", async () => {
  const { client, api } = await clientOf({ "DELETE /admin/v1/keys/key_1": { status: 204 } });
  await client.keys.revoke("key_1");
  assert.equal(api.asked[0]?.method, "DELETE");
});

test("A signal ends what runs, which throws the signal's reason.", async () => {
  fake = await startFakeApi({ "GET /v1/balance": { pieces: ["{"], finish: "hang" } });
  const ending = new AbortController();
  const client = createClient({ baseUrl: fake.url, token: "x", signal: ending.signal });
  const reason = new Error("enough");
  const running = client.balance();
  setImmediate(() => ending.abort(reason));
  await assert.rejects(running, reason);
});
