/** A provider of the operator's own that nobody plays: live keys reach it, test keys are told that they cannot. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";

const model = {
  id: "own/translate",
  kind: "run",
  category: "text",
  inputs: { type: "object", required: ["text"], properties: { text: { type: "string" } } },
  retail: [{ meter: "requests", per: 1, usd: "0.01" }],
  offers: [
    {
      provider: "own",
      upstream_model: "translate",
      request: { path: "/translate", body: { text: "$.inputs.text" } },
      output: { text: "$.res.text" },
      meters: [{ meter: "requests" }],
    },
  ],
};
const provider = {
  id: "own",
  name: "Own",
  base_url: "https://own.example.com",
  auth: { header: "authorization", prefix: "Bearer " },
};

let gateway: Gateway;
before(async () => {
  gateway = await startGateway({
    moreFiles: { "providers/own.json": provider, "models/own.json": model },
    environment: { OWN_API_KEY: "secret" },
  });
});
after(() => endsClean(gateway));

async function isListed(key: string): Promise<unknown> {
  const { body } = await gateway.get(key, "/v1/models/own/translate");
  return body.available;
}

test("in test mode it is not available, and a call says that it has no emulator", async () => {
  const tester = await payingCustomer(gateway);
  assert.equal(await isListed(tester.key), false);
  const { status, body } = await tester.run("own/translate", { text: "Hello" });
  assert.deepEqual([status, body.error.code], [503, "provider_not_configured"]);
  const message = "own/translate has no emulator: test keys cannot call it, live keys can.";
  assert.equal(body.error.message, message);
  assert.equal(await tester.spent(), 0);
});

test("in live mode it is available", async () => {
  const customer = await payingCustomer(gateway, { mode: "live" });
  assert.equal(await isListed(customer.key), true);
});
