/** fal's queue calls work that failed completed as well, and tells so beside it: whoever goes by the status alone asks for
 * a result that never comes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadCatalog } from "../src/catalog/load.ts";
import type { RunModel } from "../src/core/model.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import type { RunMemory, RunStep } from "../src/providers/declared/run-wire.ts";

const { models } = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const requestId = "r1";

/** What a run of the model comes to by these answers, each a status and a body. */
function endOf(model: RunModel, answers: readonly (readonly [number, object])[]): RunStep {
  const [offer] = model.offers;
  assert.ok(offer !== undefined && "endpoint" in offer.work, model.id);
  const compiled = compileEndpoint(offer.work.endpoint);
  assert.ok("wire" in compiled, model.id);
  const run = { id: "run_1", webhookUrl: undefined };
  const context = { inputs: model.example ?? {}, env: {}, run };
  let step: RunStep | undefined;
  let memory: RunMemory = compiled.wire.begin(context).memory;
  for (const [status, body] of [[200, { request_id: requestId }] as const, ...answers]) {
    assert.ok(step === undefined || step.state === "ask", model.id);
    const bytes = Buffer.from(JSON.stringify(body));
    step = compiled.wire.read(context, memory, {
      status,
      headers: { "content-type": "application/json" },
      bytes,
    });
    if (step.state === "ask") memory = step.memory;
  }
  assert.ok(step !== undefined);
  return step;
}

const completed = { status: "COMPLETED", request_id: requestId };
const asked = models.flatMap((model) =>
  model.kind === "run" && model.offers[0]?.provider.id === "fal" ? [model] : [],
);

test("a run of fal is over when its queue, or the answer in the place of the result, tells that the work failed", () => {
  assert.ok(asked.length > 400);
  const ends = [
    [[200, { ...completed, error: "Runner disconnected", error_type: "runner_disconnected" }]],
    [
      [200, completed],
      [503, { detail: "Runner disconnected", error_type: "runner_disconnected" }],
    ],
    [
      [200, completed],
      [500, { detail: [{ loc: ["body"], msg: "It failed", type: "internal_server_error" }] }],
    ],
  ] as const;
  for (const model of asked)
    for (const answers of ends) {
      const step = endOf(model, answers);
      assert.deepEqual([model.id, step.state === "failed" && step.fault.kind], [model.id, "failed"]);
    }
});

test("what fal says of inputs is still fetched, and an outage of its queue is waited for", () => {
  const [model] = asked;
  assert.ok(model !== undefined);
  const detail = [{ loc: ["body", "prompt"], msg: "No", type: "content_policy_violation" }];
  const told = { ...completed, error: "No", error_type: "content_policy_violation" };
  const refused = endOf(model, [
    [200, told],
    [422, { detail }],
  ]);
  assert.equal(refused.state === "failed" && refused.fault.kind, "content");
  for (const status of [429, 500, 503]) {
    const step = endOf(model, [
      [200, completed],
      [status, { detail: "Service unavailable." }],
    ]);
    assert.equal(step.state, "ask");
  }
});
