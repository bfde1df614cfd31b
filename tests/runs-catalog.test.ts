/** Every run model of the catalog in test mode, from its own example: the form of its category, files that can be
 * had, meters that have a price, a receipt, a balance moved by exactly that. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { readInputs } from "../src/calls/runs/run-inputs.ts";
import { loadCatalog } from "../src/catalog/load.ts";
import { parseCredits } from "../src/core/credits.ts";
import type { RunModel } from "../src/core/model.ts";
import { costOf } from "../src/core/price.ts";
import type { Usage } from "../src/core/usage.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import { assertDownloads, assertOutputOf } from "./support/category-outputs.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const models: readonly RunModel[] = catalog.models.flatMap((model) =>
  model.kind === "run" && model.offers.length > 0 ? [model] : [],
);

let gateway: Gateway;
/** One for each model that is asked at the same time: what a balance moves by is the price of one run. */
const customers: Customer[] = [];
const atOnce = 8;

before(async () => {
  gateway = await startGateway();
  while (customers.length < atOnce)
    customers.push(await gateway.customer({ mode: "test", credits: "10000000.00" }));
});
after(() => endsClean(gateway));

/** Members of every answer; the others are the result. */
const ours = new Set([
  ...["id", "object", "model", "status", "run_status", "usage", "usage_estimated", "is_empty"],
  ...["_call_cost_usd", "_balance_warning", "_remaining_credits"],
]);

/** What clients of documents read in `usage` beside the meters. */
const documentsOwn = new Set(["num_pages", "credits"]);

async function checkModel(model: RunModel, customer: Customer): Promise<void> {
  const before = await available(customer);
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: model.id, inputs: model.example }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.equal(body["run_status"] ?? body["status"], "completed");
  const output = Object.fromEntries(Object.entries(body).filter(([member]) => !ours.has(member)));
  assert.ok(Object.keys(output).length > 0, "there is no result");
  assertOutputOf(model.category, output);
  const [offer] = model.offers;
  const told = Object.entries(body["usage"] as Record<string, number>);
  const usage = Object.fromEntries(told.filter(([name]) => !documentsOwn.has(name)));
  for (const meter of Object.keys(usage))
    assert.ok(
      offer?.price.some((rate) => rate.meter === meter),
      `${meter} has no price`,
    );
  assertWithin(usage, reservedFor(model));
  const cost = costOf(offer?.price ?? [], usage, "0.05");
  assert.equal(parseCredits(response.headers.get("x-skillboss-cost") ?? ""), cost);
  assert.equal(before - (await available(customer)), cost);
  await assertDownloads(model.category, output);
}

/** What was used is no more than what was held for it. */
function assertWithin(usage: Readonly<Record<string, number>>, reserve: Usage | undefined): void {
  for (const [meter, most] of Object.entries(reserve ?? {}))
    assert.ok((usage[meter] ?? 0) <= most, `${usage[meter]} ${meter} of ${most}`);
}

/** Undefined for an engine, which is paid by what it did. */
function reservedFor(model: RunModel): Usage | undefined {
  const [offer] = model.offers;
  if (offer === undefined || !("endpoint" in offer.work)) return undefined;
  const compiled = compileEndpoint(offer.work.endpoint);
  assert.ok("wire" in compiled);
  const inputs = readInputs(model, model.example);
  const env = Object.fromEntries(offer.provider.settings.map(({ name, sandbox }) => [name, sandbox]));
  return compiled.wire.reserve({ inputs, env, run: { id: "run_1", webhookUrl: undefined } });
}

async function available({ key }: Customer): Promise<bigint> {
  const { body } = await gateway.get(key, "/v1/balance");
  assert.equal(body.held, "0.000000");
  return parseCredits(body.available) ?? -1n;
}

suite("runs of the catalog", { concurrency: atOnce }, () => {
  for (const model of models) {
    test(`${model.id} answers its example and costs exactly its price`, async () => {
      const customer = customers.pop();
      assert.ok(customer !== undefined);
      await checkModel(model, customer).finally(() => customers.push(customer));
    });
  }
});
