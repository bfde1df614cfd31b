/** An operator adds a model of fal or Replicate with one row: the samples of catalog/README.md, as they stand there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";

const guide = readFileSync(join(import.meta.dirname, "..", "catalog", "README.md"), "utf8");
const samples = Object.fromEntries(
  Array.from(guide.matchAll(/`(families\/[\w-]+\.json)`:\n\n```json\n([^]*?)```/g), ([, path, text]) => [
    path,
    JSON.parse(text ?? ""),
  ]),
);

let gateway: Gateway;
before(async () => {
  gateway = await startGateway({ moreFiles: samples });
});
after(() => endsClean(gateway));

test("each sample is there, and each of its models runs in test mode for its price", async () => {
  assert.deepEqual(Object.keys(samples), ["families/my-fal.json", "families/my-replicate.json"]);
  const customer = await payingCustomer(gateway);
  const prompt = "A paper boat";
  const runs = [
    ["fal/some-new-model", { prompt, size: "1x1", whatever: { it: ["takes"] } }, "1.000000"],
    ["another-edit", { prompt, image_url: "https://example.com/a.png" }, "0.800000"],
    ["replicate/foo/bar", { prompt }, "0.400000"],
    ["replicate/foo/video-maker", { prompt, duration: 10 }, "16.000000"],
  ] as const;
  for (const [model, inputs, price] of runs) {
    const { status, body, cost } = await customer.run(model, inputs);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(cost, price, model);
    assert.ok(body.image_url ?? body.video_url, JSON.stringify(body));
  }
});

test("what has no row of its own is not called: nobody knows its price", async () => {
  const customer = await payingCustomer(gateway);
  for (const model of ["fal/fal-ai/any-other", "replicate/foo/other"])
    assert.equal((await customer.run(model, { prompt: "x" })).status, 404);
});
