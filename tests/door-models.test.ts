import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let upstream: FakeUpstream;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({ p1: upstream.baseUrl });
  customer = await gateway.customer();
});
after(() => endsClean(gateway, upstream));

type Listed = {
  readonly count: number;
  readonly models: readonly { id: string; type: string; created: number }[];
};

test("the list has one content, at whichever address and in whichever way clients ask for it", async () => {
  const all = (await gateway.get(customer.key, "/v1/models")).body;
  assert.deepEqual((await gateway.get(customer.key, "/v1/v1/models")).body, all);
  const chats = (await gateway.get(customer.key, "/v1/models?types=chat")).body;
  const post = async (body: unknown): Promise<Response> =>
    fetch(`${gateway.url}/v1/models`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  assert.deepEqual(await (await post({})).json(), all);
  for (const types of ["chat", ["chat"]])
    assert.deepEqual(await (await post({ api_key: "sk-not-read", types })).json(), chats);
  const one = (await (await post({ ids: ["m-chat", "m-two"] })).json()) as Listed;
  assert.deepEqual(
    one.models.map(({ id }) => id),
    ["m-chat", "m-two"],
  );
  const wrong = await post({ types: ["bogus"] });
  assert.equal(wrong.status, 400);
  assert.equal(((await wrong.json()) as { error: { param: string } }).error.param, "types");
});

test("a key that is bound to some models is shown those and no others", async () => {
  const bound = await gateway.customer({ models: ["M-Chat", "gpt-4o-mini"] });
  const { body } = await gateway.get(bound.key, "/v1/models");
  const ids: readonly string[] = body.models.map(({ id }: { id: string }) => id);
  assert.ok(ids.includes("m-chat") && ids.includes("openai/gpt-4o-mini") && ids.includes("gpt-4o-mini"));
  assert.ok(!ids.includes("m-two"));
  assert.deepEqual(body.available_types, { chat: ids.length });
  assert.equal((await gateway.get(bound.key, "/v1/models/m-chat")).status, 200);
  const hidden = await gateway.get(bound.key, "/v1/models/m-two");
  assert.deepEqual([hidden.status, hidden.body.error.code], [403, "model_not_allowed"]);
});

test("a client that has the list already is told so without it, until it asks for another one", async () => {
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, key = customer.key) =>
    fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}`, ...headers } });
  const first = await ask("/v1/models");
  await first.text();
  const tag = first.headers.get("etag") ?? "";
  assert.match(tag, /^"[\w-]{43}"$/);
  assert.equal(first.headers.get("cache-control"), "private, no-cache");
  for (const known of [tag, `W/${tag}`, `"another", ${tag}`, "*"]) {
    const again = await ask("/v1/models", { "if-none-match": known });
    assert.equal(again.status, 304, known);
    assert.equal(await again.text(), "");
    assert.equal(again.headers.get("etag"), tag);
    for (const name of ["x-request-id", "x-skillboss-balance", "x-ratelimit-remaining-requests"])
      assert.ok(again.headers.has(name), name);
  }
  const bound = await gateway.customer({ models: ["m-chat"] });
  const tester = await gateway.customer({ mode: "test" });
  for (const [path, headers, key] of [
    ["/v1/models", { "if-none-match": tag.slice(1, -1) }, customer.key],
    ["/v1/models?types=chat", { "if-none-match": tag }, customer.key],
    ["/v1/models", { "if-none-match": tag }, bound.key],
    ["/v1/models", { "if-none-match": tag }, tester.key],
    ["/v1/models", { "if-none-match": tag, "x-forwarded-proto": "https" }, customer.key],
  ] as const) {
    const other = await ask(path, headers, key);
    await other.text();
    assert.equal(other.status, 200, path);
  }
});

test("an unknown model is answered with the names most like it", async () => {
  const { status, body } = await gateway.get(customer.key, "/v1/models/gpt-4o-minni");
  assert.deepEqual([status, body.error.code, body.error.param], [404, "model_not_found", "id"]);
  assert.match(body.error.message, /Did you mean .*gpt-4o-mini/);
});

test("a model was created on the day that its facts are from, where they say it", async () => {
  const created = async (id: string): Promise<number> =>
    (await gateway.get(customer.key, `/v1/models/${id}`)).body.created;
  assert.equal(await created("openai/gpt-4o-mini"), Date.parse("2026-11-10") / 1000);
  assert.equal(await created("m-chat"), 0);
});

test("a model is shown at the price of the offer that serves it, of one that nobody serves at that of the first", async () => {
  const priceOf = async (key: string, id: string): Promise<string> =>
    (await gateway.get(key, `/v1/models/${id}`)).body.prices[0].usd;
  const inTest = await gateway.customer({ mode: "test" });
  // Firecrawl is not configured here: an engine of this server reads the page, for nothing.
  assert.equal(await priceOf(customer.key, "firecrawl/scrape"), "0");
  assert.equal(await priceOf(inTest.key, "firecrawl/scrape"), "0.0125");
  assert.equal(await priceOf(customer.key, "firecrawl/map"), "0.0125");
});
