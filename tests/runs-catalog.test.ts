/** Every run model of the catalog in test mode, from its own example: right meters, a receipt, exactly its price. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { loadCatalog } from "../src/catalog/load.ts";
import { parseCredits } from "../src/core/credits.ts";
import type { RunModel } from "../src/core/model.ts";
import { costOf } from "../src/core/price.ts";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Customer, Gateway } from "./support/gateway.ts";

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const models: readonly RunModel[] = catalog.models.flatMap((model) =>
  model.kind === "run" && model.offers.length > 0 ? [model] : [],
);

let gateway: Gateway;

before(async () => {
  gateway = await startGateway();
});
after(() => endsClean(gateway));

/** Members of every answer; the others are the result. */
const ours = new Set([
  ...["id", "object", "model", "status", "usage", "usage_estimated", "is_empty"],
  ...["_call_cost_usd", "_balance_warning", "_remaining_credits"],
]);

async function checkModel(model: RunModel, customer: Customer): Promise<void> {
  const before = await available(customer);
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: model.id, inputs: model.example }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.equal(body["status"], "completed");
  const result = Object.keys(body).filter((member) => !ours.has(member));
  assert.ok(result.length > 0, "there is no result");
  const [offer] = model.offers;
  const usage = body["usage"] as Record<string, number>;
  for (const meter of Object.keys(usage))
    assert.ok(
      offer?.price.some((rate) => rate.meter === meter),
      `${meter} has no price`,
    );
  const cost = costOf(offer?.price ?? [], usage, "0.05");
  assert.equal(parseCredits(response.headers.get("x-skillboss-cost") ?? ""), cost);
  assert.equal(before - (await available(customer)), cost);
}

async function available({ key }: Customer): Promise<bigint> {
  const { body } = await gateway.get(key, "/v1/balance");
  assert.equal(body.held, "0.000000");
  return parseCredits(body.available) ?? -1n;
}

/** Models of one provider behave alike: of a large family a sample is enough here, all others are loaded and compiled. */
const mostPerFamily = 25;

function sampled(): readonly RunModel[] {
  const counts = new Map<string, number>();
  return models.filter((model) => {
    const provider = model.offers[0]?.provider.id ?? "";
    const count = (counts.get(provider) ?? 0) + 1;
    counts.set(provider, count);
    return count <= mostPerFamily;
  });
}

suite("runs of the catalog", { concurrency: 4 }, () => {
  for (const model of sampled()) {
    test(`${model.id} answers its example and costs exactly its price`, async () => {
      const customer = await gateway.customer({ mode: "test", credits: "100000.00" });
      await checkModel(model, customer);
    });
  }
});
