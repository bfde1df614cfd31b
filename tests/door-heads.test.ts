import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { rawRequest, sendRaw } from "./support/raw-http.ts";
import { hello } from "./support/stream-reader.ts";

/** What every answer has before its body: HEAD, and the headers that tell limits, cost and balance. */

let upstream: FakeUpstream;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({ p1: upstream.baseUrl });
  customer = await gateway.customer();
});
after(() => endsClean(gateway, upstream));

type Asked = { readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

function ask(method: string, path: string, more: Asked = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method,
    ...more,
    headers: { authorization: `Bearer ${customer.key}`, ...more.headers },
  });
}

const always = [
  "x-request-id",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
  "x-skillboss-balance",
];

test("every door of GET answers HEAD with the same head and no body", async () => {
  const upload = await ask("POST", "/v1/files?name=a.txt", {
    headers: { "content-type": "text/plain" },
    body: "x".repeat(5_000),
  });
  const { id } = (await upload.json()) as { id: string };
  const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
    paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const doors = Object.entries(paths).flatMap(([path, methods]) => ("get" in methods ? [path] : []));
  assert.ok(doors.includes("/health") && doors.includes("/v1/files/{id}/content"));
  const changing = new Set(["date", "x-request-id", "content-length", "connection", "keep-alive"]);
  for (const door of doors) {
    const path = door.replace("/v1/files/{id}", `/v1/files/${id}`).replaceAll(/\{\w+\}/g, "m-chat");
    const [get, head] = [await ask("GET", path), await ask("HEAD", path)];
    assert.equal(head.status, get.status, path);
    const heads = [get, head].map(({ headers }) => [...headers].filter(([name]) => !changing.has(name)));
    assert.deepEqual(heads[1], heads[0], path);
    const length = Buffer.byteLength(await get.arrayBuffer().then((bytes) => Buffer.from(bytes)));
    assert.equal(head.headers.get("content-length"), String(length), path);
    assert.equal(await head.text(), "", path);
  }
});

test("the connection goes on after HEAD, and a refused HEAD has no body either", async () => {
  const key = `Authorization: Bearer ${customer.key}`;
  const both = Buffer.concat([
    Buffer.from(rawRequest("HEAD /v1/models", [key])),
    Buffer.from(rawRequest("HEAD /nowhere", [key])),
    Buffer.from(rawRequest("HEAD /health", ["Connection: close"])),
  ]);
  const answer = await sendRaw(gateway.port, both);
  assert.deepEqual(answer.statuses, [200, 404, 200]);
  assert.doesNotMatch(answer.text, /[{}]/);
});

test("another method than a path takes is told with HEAD beside GET", async () => {
  const answer = await ask("DELETE", "/v1/models");
  assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, POST"]);
  await answer.text();
});

test("limits, balance and cost are in the head of every answer to a key", async () => {
  for (const [method, path, status] of [
    ["GET", "/v1/models", 200],
    ["GET", "/v1/models/m-chat", 200],
    ["GET", "/v1/models/nope", 404],
    ["GET", "/v1/balance", 200],
    ["GET", "/v1/usage", 200],
    ["GET", "/api/me/usage", 200],
    ["GET", "/v1/job", 200],
    ["GET", "/v1/files", 200],
    ["GET", "/nowhere", 404],
    ["PUT", "/v1/models", 405],
    ["DELETE", "/v1/chat/completions", 405],
  ] as const) {
    const answer = await ask(method, path);
    await answer.text();
    assert.equal(answer.status, status, `${method} ${path}`);
    for (const name of always) assert.ok(answer.headers.has(name), `${method} ${path}: ${name}`);
    assert.equal(answer.headers.get("x-skillboss-cost"), "0.000000", `${method} ${path}`);
  }
  const upload = await ask("POST", "/v1/files", { headers: { "content-type": "text/plain" }, body: "x" });
  for (const name of [...always, "x-skillboss-cost"]) assert.ok(upload.headers.has(name), name);
  const { id } = (await upload.json()) as { id: string };
  for (const [path, status] of [
    [`/v1/files/${id}/content`, 200],
    [`/v1/run/${await finishedRun()}/events`, 200],
  ] as const) {
    const answer = await ask("GET", path);
    await answer.text();
    assert.equal(answer.status, status, path);
    for (const name of [...always, "x-skillboss-cost"])
      assert.ok(answer.headers.has(name), `${path}: ${name}`);
  }
});

test("a call over its limit is told limits, balance and cost as well", async () => {
  const { key } = await gateway.customer({ rpm: 0, credits: "3.000000" });
  for (const stream of [false, true]) {
    const answer = await gateway.chat(key, { ...hello, model: "m-chat", stream });
    await answer.text();
    assert.equal(answer.status, 429);
    for (const name of always) assert.ok(answer.headers.has(name), name);
    assert.equal(answer.headers.get("x-skillboss-balance"), "3.000000");
    assert.equal(answer.headers.get("x-skillboss-cost"), "0.000000");
  }
});

test("a job's 202 has them too, its balance without what is held for it", async () => {
  const tester = await gateway.customer({ mode: "test", credits: "100.000000" });
  const body = JSON.stringify({ model: "google/veo-3.1", inputs: { prompt: "A fox" }, async: true });
  const answer = await ask("POST", "/v1/run", {
    headers: { "content-type": "application/json", authorization: `Bearer ${tester.key}` },
    body,
  });
  assert.equal(answer.status, 202, await answer.text());
  for (const name of always) assert.ok(answer.headers.has(name), name);
  assert.equal(answer.headers.get("x-skillboss-cost"), "0.000000");
  assert.ok(Number(answer.headers.get("x-skillboss-balance")) < 100);
});

async function finishedRun(): Promise<string> {
  const body = JSON.stringify({ model: "local/image", inputs: { operation: "qr", text: "x" } });
  const answer = await ask("POST", "/v1/run", { headers: { "content-type": "application/json" }, body });
  return ((await answer.json()) as { id: string }).id;
}

test("answers without a key, and those to the operator, say that they cost nothing", async () => {
  const operator = { authorization: `Bearer ${gateway.token}` };
  for (const [path, headers] of [
    ...["/health", "/ready", "/openapi.json"].map((path) => [path, {}] as const),
    ["/admin/v1/accounts", operator],
    ["/admin/v1/health", operator],
  ] as const) {
    const answer = await fetch(gateway.url + path, { headers });
    await answer.text();
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get("x-skillboss-cost"), "0.000000", path);
  }
});

test("a wrong key at an unknown path learns no more than that nothing is there", async () => {
  const answer = await ask("GET", "/nowhere", { headers: { authorization: "Bearer sk-wrong" } });
  assert.equal(answer.status, 404);
  assert.equal(answer.headers.get("x-skillboss-balance"), null);
  await answer.text();
});

test("a stream's head has limits and balance", async () => {
  const answer = await gateway.chat(customer.key, { ...hello, model: "m-chat", stream: true });
  await answer.text();
  for (const name of always) assert.ok(answer.headers.has(name), name);
});
