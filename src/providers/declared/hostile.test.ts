import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Endpoint, Expression } from "../../core/endpoint.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { compileEndpoint } from "./compile-endpoint.ts";
import { compileExpression } from "./expression.ts";
import { anyData, anyExpression } from "./random-expressions.test-support.ts";
import type { EndpointFault } from "./place.ts";
import type { RunMemory, RunWire } from "./run-wire.ts";
import { contextOf, endpoint, stored, wireOf } from "./run-under-test.ts";

const anyInputs = anyData.map((value) => (isJsonObject(value) ? value : { a: value }));

test("no expression throws over any data, and what it gives is plain JSON with nothing missing in it", () => {
  let evaluated = 0;
  fc.assert(
    fc.property(anyExpression(["v", "w"]), anyData, anyData, (expression, v, w) => {
      const faults: EndpointFault[] = [];
      const roots = new Set(["v", "w"]);
      const { evaluate } = compileExpression(expression, { path: "", roots, faults });
      if (faults.length > 0) return;
      evaluated += 1;
      const value = evaluate({ v, w });
      assert.deepEqual(evaluate({ v, w }), value);
      assert.notEqual(typeof value, "function");
      if (value !== undefined) stored(value);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(evaluated > 1_000, `only ${evaluated}`);
});

test("what a customer sends is never evaluated: it arrives as it is, whatever it looks like", () => {
  const wire = wireOf(
    endpoint({
      request: {
        path: "/x",
        body: {
          plain: "$.inputs.a",
          default: { $default: ["$.inputs.none", "$.inputs.a"] },
          list: { $array: { $literal: "$.inputs.a" } },
          chosen: { $if: [true, ["$.inputs.a"]] },
          mapped: { $map: { from: ["$.inputs.a"], as: "i", to: { is: "$.i" } } },
          merged: { $merge: [{ a: 1 }, { a: "$.inputs.a" }] },
          row: { $enum: { of: "x", table: { x: "$.inputs.a" } } },
        },
      },
    }),
  );
  fc.assert(
    fc.property(anyData, (a) => {
      const { ask } = wire.begin(contextOf({ a }, { env: { secret: "the secret" } }));
      const text = ask.body?.toString() ?? "";
      assert.ok(!text.includes("the secret"));
      const list = a === null ? [] : [a];
      const expected = {
        ...(a === null ? {} : { plain: a, default: a }),
        list: ["$.inputs.a"],
        chosen: list,
        mapped: a === null ? [{}] : [{ is: a }],
        merged: { a: a ?? 1 },
        ...(a === null ? {} : { row: a }),
      };
      // `[null]` maps over nothing: missing items are no items of a list that the endpoint writes.
      if (a === null) expected.mapped = [];
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(expected)));
    }),
    { numRuns: 1_000 },
  );
});

const places = ["inputs", "env", "run"];
const afterWork = [...places, "submit", "res", "headers", "status"];

function rarely(expression: fc.Arbitrary<Expression>): fc.Arbitrary<Expression> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: expression });
}

/** Endpoints of random expressions; most of them have no fault. */
const anyEndpoint: fc.Arbitrary<Endpoint> = fc
  .record({
    body: anyExpression(places),
    header: rarely(anyExpression(places)),
    encoding: fc.constantFrom("json", "form", "multipart"),
    when: rarely(anyExpression([...places, "res", "headers", "status"])),
    code: anyExpression([...places, "res"]),
    skipWhen: rarely(anyExpression([...places, "res", "submit"])),
    status: fc.oneof(fc.constantFrom("a", "b"), anyExpression([...places, "res", "status"])),
    url: anyExpression([...places, "submit"]),
    next: anyExpression([...places, "res"]),
    items: anyExpression(["res"]),
    output: anyExpression([...afterWork, "list"]),
    quantity: anyExpression([...afterWork, "list"]),
    hasPolling: fc.boolean(),
    hasFetch: fc.boolean(),
  })
  .map((random) =>
    endpoint({
      request: {
        path: "/x/{run.id}",
        encoding: random.encoding,
        query: { q: random.header },
        headers: { "x-a": random.header },
        body: random.body,
      },
      errors: { when: random.when, code: random.code, message: random.code, codes: { a: "busy" } },
      ...(random.hasPolling
        ? {
            polling: {
              skipWhen: random.skipWhen,
              poll: { path: "/y/{run.id}" },
              cancel: { url: "$.submit.a" },
              status: random.status,
              done: ["a", "true", "1"],
              failed: ["x y", "false"],
              progress: random.next,
            },
          }
        : {}),
      fetches: random.hasFetch
        ? [
            { url: { $default: [{ $if: [random.items, random.url] }, "https://e.example/"] }, as: "first" },
            { path: "/z", as: "list", pages: { next: random.next, items: random.items, maxPages: 3 } },
          ]
        : [{ path: "/never", when: false, as: "list" }],
      output: { out: random.output, file: { $file: { url: random.url, base64: random.output } } },
      emptyWhen: random.items,
      meters: [{ meter: "pages", reserve: 3, quantity: random.quantity }],
    }),
  );

const anyStatus = fc.constantFrom(201, 202, 204, 302, 400, 404, 422, 429, 500, 503);
const anyAnswer = fc.record({
  status: fc.oneof({ weight: 3, arbitrary: fc.constant(200) }, { weight: 1, arbitrary: anyStatus }),
  headers: fc.record(
    {
      "content-type": fc.constantFrom("application/json", "text/plain", "audio/mpeg", ";", ""),
      "retry-after": fc.constantFrom("5", "soon", "-1", "Sun, 01 Nov 2026 10:00:00 GMT"),
    },
    { requiredKeys: [] },
  ),
  bytes: fc.oneof(
    { weight: 6, arbitrary: anyData.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
  ),
});

type Answer = Parameters<RunWire["read"]>[2];

test("no endpoint throws over any answers, its memory survives the database, and equal contexts are equal bytes", () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(
      anyEndpoint,
      anyInputs,
      fc.array(anyAnswer, { maxLength: 8 }),
      (declared, inputs, answers) => {
        const compiled = compileEndpoint(declared);
        if (!("wire" in compiled)) return;
        const context = contextOf(inputs, { env: { a: "b" } });
        const end = played(compiled.wire, context, answers);
        ends.set(end, (ends.get(end) ?? 0) + 1);
      },
    ),
    { numRuns: 1_500 },
  );
  for (const end of ["done", "failed", "refused", "poll", "fetch"]) {
    assert.ok((ends.get(end) ?? 0) > 2, `${end}: ${JSON.stringify([...ends])}`);
  }
});

function played(wire: RunWire, context: ReturnType<typeof contextOf>, answers: readonly Answer[]): string {
  let memory: RunMemory;
  try {
    const begun = wire.begin(context);
    assert.deepEqual(wire.begin(structuredClone(context)), begun);
    memory = begun.memory;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return "refused";
  }
  for (const answer of answers) {
    const step = wire.read(context, memory, answer);
    if (step.state === "done") {
      stored(step.output);
      assert.ok(Object.values(step.usage).every((quantity) => Number.isFinite(quantity) && quantity >= 0));
    }
    if (step.state !== "ask") return step.state;
    assert.ok(step.afterMs >= 0 && Number.isFinite(step.afterMs));
    memory = stored(step.memory);
    assert.deepEqual(wire.again(context, memory), step.ask);
    wire.cancel(context, memory);
  }
  return memory.phase;
}

test("inputs and answers of any depth break nothing", () => {
  const wire = wireOf(
    endpoint({
      request: { path: "/x", body: { a: "$.inputs.small" } },
      output: { inputs: "$.inputs", res: "$.res" },
    }),
  );
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = level % 2 === 0 ? [deep] : { a: deep };
  const context = contextOf({ small: 1, deep });
  const { memory } = wire.begin(context);
  const bytes = Buffer.from('{"a":1}');
  const step = wire.read(context, memory, { status: 200, headers: {}, bytes });
  assert.equal(step.state, "done");
  if (step.state === "done") assert.ok(JSON.stringify(step.output).length < 10_000);
  const nested = Buffer.from("[".repeat(500_000) + "]".repeat(500_000));
  assert.equal(wire.read(context, memory, { status: 200, headers: {}, bytes: nested }).state, "failed");
});
