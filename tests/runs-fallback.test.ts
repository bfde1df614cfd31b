/** Which provider a run is asked of: live runs against providers of ours that count. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { after, before, test } from "node:test";
import { ok, status } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";

let first: Server;
let second: Server;
/** Of chats: `m-two` is asked of p1, then of p2. */
let p1: FakeUpstream;
let p2: FakeUpstream;
let asked: string[] = [];
let gateway: Gateway;

async function startProvider(name: string, status: number): Promise<Server> {
  const server = createServer((request, response) => {
    asked.push(name);
    request.resume();
    response.writeHead(status, { "content-type": "application/json" }).end('{"text":"hello"}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function addressOf(server: Server): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const offerBy = (provider: string) => ({
  provider,
  upstream_model: "m-read",
  request: { path: "/read", body: { text: "$.inputs.text" } },
  repeatable: true,
  output: { text: "$.res.text" },
  meters: [{ meter: "requests", reserve: 1 }],
});

before(async () => {
  [first, second] = await Promise.all([startProvider("first", 503), startProvider("second", 200)]);
  [p1, p2] = await Promise.all([startFakeUpstream(), startFakeUpstream()]);
  const provider = (id: string) => ({ id, name: id, base_url: "http://127.0.0.1:9" });
  gateway = await startGateway({
    p1: p1.baseUrl,
    p2: p2.baseUrl,
    moreFiles: {
      "providers/f1.json": provider("f1"),
      "providers/f2.json": provider("f2"),
      "models/test/m-read.json": {
        id: "m-read",
        kind: "run",
        category: "document",
        inputs: { type: "object", properties: { text: { type: "string" } } },
        retail: [{ meter: "requests", per: 1, usd: "0.000000001" }],
        offers: [offerBy("f1"), offerBy("f2")],
      },
    },
    environment: {
      F1_BASE_URL: addressOf(first),
      F1_API_KEY: "x",
      F2_BASE_URL: addressOf(second),
      F2_API_KEY: "x",
    },
  });
});
after(async () => {
  await endsClean(gateway);
  await Promise.all([p1.stop(), p2.stop()]);
  for (const server of [first, second]) {
    server.closeAllConnections();
    server.close();
  }
});

test("without fallback the first provider alone is asked, also while it rests from a failure", async () => {
  const customer = await payingCustomer(gateway, { mode: "live" });
  const usual = await customer.run("m-read", { text: "x" });
  assert.deepEqual([usual.status, usual.body.text, asked], [200, "hello", ["first", "second"]]);
  asked = [];
  const alone = await customer.run("m-read", { text: "x" }, { auto_fallback: false });
  assert.deepEqual([alone.status, asked], [502, ["first"]], JSON.stringify(alone.body));
});

test("what a run cost in USD is told to the last digit", async () => {
  const customer = await payingCustomer(gateway, { mode: "live" });
  const { body, cost } = await customer.run("m-read", { text: "x" });
  assert.deepEqual([cost, body._call_cost_usd], ["0.000001", 5e-8]);
});

test("without fallback a chat that came as a run is asked of the first provider alone, whole and streamed", async () => {
  p1.script("m-two", status(500));
  p2.script("m-two", ok());
  const customer = await payingCustomer(gateway, { mode: "live" });
  const messages = [{ role: "user", content: "hi" }];
  const usual = await customer.run("m-two", { messages });
  assert.deepEqual([usual.status, p2.calls("m-two").length], [200, 1], JSON.stringify(usual.body));
  const spent = await customer.spent();
  for (const stream of [false, true]) {
    const alone = await customer.run("m-two", { messages }, { auto_fallback: false, stream });
    assert.equal(alone.status, 502, JSON.stringify(alone.body));
  }
  assert.deepEqual([p1.calls("m-two").length, p2.calls("m-two").length], [3, 1]);
  assert.equal(await customer.spent(), spent);
});
