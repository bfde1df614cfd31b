import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { AdminAnswer, Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { hello } from "./support/stream-reader.ts";

/** What a customer reads who asked for something in a wrong way: the member or parameter, and what it takes. */

let upstream: FakeUpstream;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({ p1: upstream.baseUrl, a1: upstream.origin });
  customer = await gateway.customer();
});
after(() => endsClean(gateway, upstream));

async function post(path: string, body: unknown): Promise<AdminAnswer> {
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

function assertRefused({ status, body }: AdminAnswer, param: string, message: string | RegExp): void {
  assert.deepEqual([status, body.error.code, body.error.param], [400, "invalid_request", param]);
  if (typeof message === "string") assert.equal(body.error.message, message);
  else assert.match(body.error.message, message);
}

test("every door words what is wrong with a body itself, and never as its library does", async () => {
  const chat = "/v1/chat/completions";
  const model = "m-chat";
  const told: readonly (readonly [string, unknown, string, string])[] = [
    [chat, { model }, "messages", "messages: is missing; want a list of one or more messages"],
    [chat, { ...hello, model, n: 0 }, "n", "n: want a whole number from 1 to 128"],
    [
      chat,
      { ...hello, model, max_tokens: 1.5 },
      "max_tokens",
      "max_tokens: want a whole number from 1 to 2147483647",
    ],
    [chat, { ...hello, model, stop: 5 }, "stop", "stop: want a text or a list of at most 16 texts"],
    [
      chat,
      { ...hello, model: "m-claude", reasoning_effort: "huge" },
      "reasoning_effort",
      "reasoning_effort: want one of none, minimal, low, medium, high, xhigh, max",
    ],
    ["/v1/run", { model: 5 }, "model", "model: want a text that is not empty"],
    ["/v1/embeddings", { model: "x" }, "input", ""],
  ];
  for (const [path, body, param, message] of told) {
    const answer = await post(path, body);
    if (message === "") assert.match(answer.body.error.message, /^input: is missing; want /);
    assertRefused(answer, param, message === "" ? /./ : message);
  }
  const wrongPlan = await gateway.admin("POST", "/accounts", { name: "x", plan: "gold" });
  assertRefused(wrongPlan, "plan", "plan: want one of free, starter, pro");
  const unknown = await gateway.admin("POST", "/accounts", { name: "x", limit: {} });
  assertRefused(unknown, "limit", /^limit: there is no such member; known are name, /);
});

test("an address that is nearly one of ours is told which was meant, and every other where all of them are", async () => {
  const all = "All addresses are in /openapi.json.";
  const meant = "Did you mean POST /v1/chat/completions? ";
  for (const [path, hint] of [
    ["/chat/completions", meant],
    ["/v1/chat/completions/", meant],
    ["/v1/responses", meant],
    ["/nowhere", ""],
    ["/admin/v1/account", ""],
  ] as const) {
    const answer = await post(path, {});
    assert.deepEqual([answer.status, answer.body.error.code], [404, "not_found"]);
    assert.equal(answer.body.error.message, `There is nothing at this address. ${hint}${all}`);
  }
});

test("who is no operator is told which token is wanted and where it lies", async () => {
  const wrong = await gateway.get(customer.key, "/admin/v1/accounts");
  const missing = await fetch(`${gateway.url}/admin/v1/accounts`);
  const { error } = (await missing.json()) as { error: { code: string; message: string } };
  assert.deepEqual([wrong.status, wrong.body.error.code], [401, "invalid_api_key"]);
  assert.deepEqual([missing.status, error.code], [401, "missing_authorization"]);
  for (const { message } of [wrong.body.error, error]) {
    assert.match(message, /operator token/);
    assert.match(message, /`operator-token` of the server's data directory/);
  }
});

test("a parameter of an address takes its values only, and a slip of its name is told", async () => {
  const types = /^types: want one of all, chat, .*image/;
  const refused: readonly (readonly [string, string, string | RegExp])[] = [
    ["/v1/models?types=bogus", "types", types],
    ["/v1/models?types=chat,bogus", "types", types],
    ["/v1/models?type=bogus", "type", /^type: want one of all, chat, /],
    ["/api/me/usage?type=bogus", "type", /^type: want one of audio, chat, .*image/],
    ["/api/me/usage?perod=day", "perod", "perod: there is no such parameter; did you mean period?"],
    ["/v1/usage?Period=day", "Period", "Period: there is no such parameter; did you mean period?"],
    ["/v1/usage?period=year", "period", /want one of day, week, month, all|want day, week, month, all/],
    ["/v1/models?id=m-chat", "id", "id: there is no such parameter; did you mean ids?"],
    ["/v1/job?limt=5", "limt", "limt: there is no such parameter; did you mean limit?"],
  ];
  for (const [path, param, message] of refused)
    assertRefused(await gateway.get(customer.key, path), param, message);
  for (const path of [
    "/v1/models?types=storage%2Cui_generation",
    "/v1/models?types=all",
    "/v1/models?cb=5",
    "/api/me/usage?type=audio&period=day",
    "/v1/usage?utm_source=mail",
  ])
    assert.equal((await gateway.get(customer.key, path)).status, 200, path);
});

test("a key is bound to models that exist, by any of their names", async () => {
  const path = `/accounts/${customer.accountId}/keys`;
  const make = (models: readonly string[]) => gateway.admin("POST", path, { mode: "test", models });
  const names = ["M-CHAT", "gpt-4o-mini", "openai/gpt-4o-mini"];
  const made = await make(names);
  assert.deepEqual([made.status, made.body.models], [201, names]);
  const before = (await gateway.admin("GET", path)).body.data.length;
  const wrong = await make(["m-chat", "gpt-4o-minni"]);
  assertRefused(wrong, "models[1]", /^models\[1\]: there is no such model; did you mean .*gpt-4o-mini/);
  assertRefused(await make(["\u{1f600}"]), "models[0]", "models[0]: there is no such model");
  assert.equal((await gateway.admin("GET", path)).body.data.length, before);
});

test("usage of one type is the usage of its models alone", async () => {
  const one = await gateway.customer();
  await (await gateway.chat(one.key, { ...hello, model: "m-chat" })).text();
  const all = (await gateway.get(one.key, "/api/me/usage")).body;
  const chats = (await gateway.get(one.key, "/api/me/usage?type=chat")).body;
  assert.deepEqual(chats, all);
  assert.equal(chats.summary.total_requests, 1);
  const images = (await gateway.get(one.key, "/api/me/usage?type=image")).body;
  const { summary, by_model: byModel, by_type: byType, daily, recent } = images;
  assert.deepEqual(summary, { total_requests: 0, total_usd: 0, total_credits: 0 });
  assert.deepEqual([byModel, byType, daily, recent], [[], [], [], []]);
});

test("usage counts one name of a model as one, in whatever case it was asked for", async () => {
  const one = await gateway.customer();
  for (const model of ["M-Chat", "m-chat", "M-CHAT", "m-claude"])
    await (await gateway.chat(one.key, { ...hello, model })).text();
  for (const path of ["/v1/usage", "/api/me/usage"]) {
    const { by_model: byModel } = (await gateway.get(one.key, path)).body;
    const counted = byModel.map(({ model, requests }: { model: string; requests: number }) => [
      model,
      requests,
    ]);
    assert.deepEqual(counted, [
      ["m-chat", 3],
      ["m-claude", 1],
    ]);
  }
});
