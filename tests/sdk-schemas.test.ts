import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { assertSatisfies } from "./support/satisfied-schema.ts";
import {
  allWireModels,
  assertAllSettled,
  clientFor,
  collected,
  functionCalls,
  joined,
  kits,
  user,
} from "./support/sdk.ts";

/** What a test key gets is what was asked for: values of the customer's own schema, over both wires. */
let gateway: Gateway;
let customer: Customer;
before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test", credits: "100000.00" });
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
});

const [kit] = Object.values(kits);
const client = (): OpenAI => clientFor(kit ?? assert.fail("no kit"), gateway, customer.key);

type Params = Omit<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming, "messages" | "stream">;
const prompt = user("What is the weather in Paris for the next days?");

const ask = (params: Params) => client().chat.completions.create({ ...params, messages: [prompt] });
const stream = async (params: Params) =>
  joined(
    await collected(await client().chat.completions.create({ ...params, messages: [prompt], stream: true })),
  );

const schemas: Readonly<Record<string, { type: "object"; [more: string]: unknown }>> = {
  "limits of numbers, texts and lists": {
    type: "object",
    properties: {
      d: { type: "integer", minimum: 1, maximum: 3 },
      s: { type: "string", minLength: 20, pattern: "^[A-Z]+$" },
      l: { type: "array", items: { type: "integer", exclusiveMinimum: 50, multipleOf: 7 }, minItems: 4 },
    },
    required: ["d", "s", "l"],
    additionalProperties: false,
  },
  "limits beside descriptions, in definitions, choices and lists of lists": {
    type: "object",
    description: "A report; see the rules.\nMust hold: the line.",
    properties: {
      days: { type: "integer", minimum: 400, maximum: 401, description: "How many; at least 400" },
      mark: { oneOf: [{ type: "string", maxLength: 2 }, { $ref: "#/$defs/mark" }] },
      rows: {
        type: "array",
        minItems: 2,
        maxItems: 2,
        items: { type: "array", minItems: 3, uniqueItems: true, items: { enum: ["a", "b; c", "d"] } },
      },
      pair: { type: "array", prefixItems: [{ type: "string" }, { type: "boolean" }], minItems: 2 },
      word: { type: "string", not: { enum: ["Paris", "weather"] } },
    },
    required: ["days", "mark", "rows", "pair", "word"],
    additionalProperties: false,
    $defs: { mark: { type: "number", minimum: -3, exclusiveMaximum: -2 } },
  },
};

for (const [name, schema] of Object.entries(schemas)) {
  test(`json_schema with ${name} is satisfied by every model, whole and streamed`, async () => {
    const format = { type: "json_schema", json_schema: { name: "report", schema, strict: true } } as const;
    const all = allWireModels.map(async (model) => {
      const whole = await ask({ model, response_format: format });
      const text = whole.choices[0]?.message.content ?? "";
      assertSatisfies(schema, text, model);
      assert.deepEqual(await stream({ model, response_format: format }), { text, finish: "stop", calls: [] });
    });
    await Promise.all(all);
  });

  test(`arguments of tools with ${name} satisfy their parameters, strict or not, whole and streamed`, async () => {
    const all = allWireModels.flatMap((model) =>
      [true, false].map(async (strict) => {
        const tools = [
          { type: "function", function: { name: "weather", parameters: schema, strict } },
        ] as const;
        const whole = await ask({ model, tools: [...tools] });
        const [call] = functionCalls(whole.choices[0]?.message);
        assertSatisfies(schema, call?.function.arguments ?? "", `${model}, strict: ${strict}`);
        const streamed = await stream({ model, tools: [...tools] });
        assert.equal(streamed.calls[0]?.arguments, call?.function.arguments);
      }),
    );
    await Promise.all(all);
  });
}

test("json_object gives a JSON object and nothing else by every model, whole and streamed", async () => {
  const response_format = { type: "json_object" } as const;
  const all = allWireModels.map(async (model) => {
    const whole = await ask({ model, response_format });
    const text = whole.choices[0]?.message.content ?? "";
    assertSatisfies({ type: "object", minProperties: 1 }, text, model);
    assert.deepEqual(await stream({ model, response_format }), { text, finish: "stop", calls: [] });
  });
  await Promise.all(all);
});
