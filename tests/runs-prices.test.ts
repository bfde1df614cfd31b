/** What a run is charged for what its provider tells: by the rates it was begun with. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { run } from "./support/job-scene.ts";
import { trailOf } from "./support/money-trail.ts";

/** Tells that it used as many tokens as it was asked to. */
async function tell(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
  const { tokens } = JSON.parse(Buffer.concat(parts).toString("utf8")) as { readonly tokens: unknown };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ done: true, tokens }));
}

const provider = createServer((request, response) => void tell(request, response));

const cheap = { meter: "input_tokens", per: 1000, usd: "0.05" };
const dear = { meter: "input_tokens", per: 1000, usd: "0.10" };
const when = { input_tokens_gt: 500 };
const reservedTokens = 1000;

function modelOf(id: string, retail: readonly object[]): Readonly<Record<string, unknown>> {
  const request = { path: "/once", body: { tokens: "$.inputs.tokens" } };
  const meters = [{ meter: "input_tokens", reserve: reservedTokens, quantity: "$.res.tokens" }];
  const offer = { provider: "r1", upstream_model: id, request, output: { done: "$.res.done" }, meters };
  const inputs = { type: "object", properties: { tokens: { type: "number" } } };
  return {
    [`models/test/${id}.json`]: { id, kind: "run", category: "tool", inputs, retail, offers: [offer] },
  };
}

let gateway: Gateway;
let customer: Customer;

before(async () => {
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const auth = { header: "authorization", prefix: "Bearer " };
  gateway = await startGateway({
    environment: { R1_API_KEY: "secret-r1", R1_BASE_URL: url },
    moreFiles: {
      "providers/r1.json": { id: "r1", name: "r1", base_url: "http://127.0.0.1:9", auth },
      ...modelOf("m-dearer", [cheap, { ...dear, when }]),
      ...modelOf("m-cheaper", [dear, { ...cheap, when }]),
    },
  });
  customer = await gateway.customer();
});
after(() =>
  endsClean(gateway, {
    stop: () =>
      new Promise((resolve) => {
        provider.closeAllConnections();
        provider.close(resolve);
      }),
  }),
);

/** In micro-credits, of which a token costs 1,000 where it is cheap and 2,000 where it is dear. */
async function chargeOf(model: string, tokens: number): Promise<bigint> {
  const { status, body } = await run(gateway, customer, { model, inputs: { tokens } });
  assert.equal(status, 200, JSON.stringify(body));
  const { calls } = await trailOf(gateway, customer.accountId);
  const call = calls.get(String(body.id).replace("run_", "call_"));
  assert.ok(call !== undefined);
  return call.charged;
}

test("a run pays a rate with a condition when its usage meets the condition, and only then", async () => {
  assert.equal(await chargeOf("m-dearer", 500), 500_000n);
  assert.equal(await chargeOf("m-dearer", 501), 1_002_000n);
  assert.equal(await chargeOf("m-cheaper", 500), 1_000_000n);
  assert.equal(await chargeOf("m-cheaper", 501), 501_000n);
});

test("a fraction of a token that a provider tells is charged as no report at all, and the usage page still opens", async () => {
  assert.equal(await chargeOf("m-dearer", 12.5), 2_000_000n);
  for (const page of ["/v1/usage", "/api/me/usage"]) {
    const { status, body } = await gateway.get(customer.key, page);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.recent[0].estimated, true);
  }
});
