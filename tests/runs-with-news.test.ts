/** A provider that is asked to call us when it is done may answer otherwise than one that is asked again and again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadCatalog } from "../src/catalog/load.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import type { RunModel, RunOffer } from "../src/core/model.ts";
import { startSandbox } from "../src/sandbox/sandbox.ts";
import type { RunningSandbox } from "../src/sandbox/sandbox.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });

/** One model for each way in which a provider is told where to call and is asked how it stands. */
const models = new Map<string, RunModel>();
for (const model of catalog.models) {
  if (model.kind === "chat") continue;
  for (const offer of model.offers.slice(0, 1)) {
    const way = wayOf(offer);
    if (way !== undefined && !models.has(way)) models.set(way, model);
  }
}

function wayOf({ provider, work }: RunOffer): string | undefined {
  if (!("endpoint" in work) || work.endpoint.polling?.webhook === undefined) return undefined;
  return JSON.stringify([provider.id, work.endpoint.polling.webhook, work.endpoint.output]);
}

let sandbox: RunningSandbox;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  sandbox = await startSandbox();
  const variables = [...models.values()].flatMap(({ offers }) =>
    offers.flatMap(({ provider: { id, keyVariable, settings } }) => {
      const name = id.toUpperCase().replaceAll("-", "_");
      return [
        [keyVariable ?? `${name}_API_KEY`, "k"],
        [`${name}_BASE_URL`, `${sandbox.url}/${id}`],
        ...settings.map(({ variable, sandbox: value }) => [variable, value]),
      ];
    }),
  );
  gateway = await startGateway({
    environment: { ...Object.fromEntries(variables), SKILLBOSS_PUBLIC_URL: "https://gateway.example.com" },
  });
  customer = await gateway.customer({ credits: "1000000.00" });
});
after(async () => {
  await endsClean(gateway);
  await sandbox.stop();
});

test("BFL, who wants to be asked at the address that it names, is not told where to call", () => {
  const offers = catalog.models.flatMap((model) => (model.kind === "run" ? model.offers : []));
  const endpoints = offers.flatMap(({ provider, work }) =>
    provider.id === "bfl" && "endpoint" in work ? [work.endpoint] : [],
  );
  assert.ok(endpoints.length > 5);
  for (const endpoint of endpoints) {
    assert.equal(endpoint.polling?.webhook, undefined);
    const compiled = compileEndpoint(endpoint);
    assert.ok("wire" in compiled);
    const run = { id: "run_1", webhookUrl: "https://gateway.example.com/news" };
    const context = { inputs: { prompt: "A fox" }, env: {}, run };
    const asked = (told: object) => {
      const bytes = Buffer.from(JSON.stringify(told));
      const answer = { status: 200, headers: { "content-type": "application/json" }, bytes };
      const step = compiled.wire.read(context, { phase: "submit" }, answer);
      return step.state === "ask" ? step.ask.target : step;
    };
    const named = "https://api.eu1.bfl.ai/v1/get_result?id=t-1";
    assert.deepEqual(asked({ id: "t-1", polling_url: named }), { url: named });
    assert.deepEqual(asked({ id: "t-1", status: "Pending" }), { path: "/v1/get_result?id=t-1" });
  }
});

for (const { id, example } of models.values()) {
  test(`${id} comes to its end although the provider was told where to call`, async () => {
    const response = await fetch(`${gateway.url}/v1/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: id, inputs: example }),
    });
    const body = JSON.parse(await response.text());
    assert.equal(response.status, 200, JSON.stringify(body));
    assert.equal(body.status, "completed");
  });
}
