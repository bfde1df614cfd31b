import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { status } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { hello } from "./support/stream-reader.ts";

/** Providers differ in what they take: one that would answer something else than was asked for is not asked. */

let p1: FakeUpstream;
let p2: FakeUpstream;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  p1 = await startFakeUpstream();
  p2 = await startFakeUpstream();
  gateway = await startGateway({
    p1: p1.baseUrl,
    p2: p2.baseUrl,
    a1: p1.origin,
    moreFiles: {
      "providers/p2.json": oneChoiceProvider,
      "providers/p3.json": customProvider,
      "models/test/m-only-two.json": onlyTwo,
      "models/test/m-custom.json": customFirst,
    },
    environment: {
      ...{ P3_API_KEY: "secret-p3", P3_BASE_URL: p1.baseUrl },
      // Two of the built-in catalog, for what it says of them.
      ...{ OPENAI_API_KEY: "secret-openai", OPENAI_BASE_URL: p1.baseUrl },
      ...{ DEEPSEEK_API_KEY: "secret-deepseek", DEEPSEEK_BASE_URL: p2.baseUrl },
    },
  });
  customer = await gateway.customer();
});
beforeEach(() => {
  p1.clear();
  p2.clear();
});
after(() => endsClean(gateway, p1, p2));

const oneChoiceProvider = {
  id: "p2",
  name: "p2",
  wire: "openai-chat",
  base_url: "http://127.0.0.1:9/v1",
  auth: { header: "authorization", prefix: "Bearer " },
  accepts: ["messages", "model", "max_tokens", "stream", "stream_options", "temperature"],
};

const rate = (meter: string) => ({ meter, per: 1_000_000, usd: "0.1" });
const onlyTwo = {
  ...{ id: "m-only-two", kind: "chat", context_window: 1_000, max_output: 1_000 },
  offers: [{ provider: "p2", upstream_model: "m-two", price: [rate("input_tokens"), rate("output_tokens")] }],
};

const { accepts: _, ...likeOpenai } = oneChoiceProvider;
const customProvider = { ...likeOpenai, id: "p3", custom_tools: true };
const customFirst = {
  ...onlyTwo,
  id: "m-custom",
  offers: ["p3", "p2"].map((provider) => ({ ...onlyTwo.offers[0], provider, upstream_model: "m-custom" })),
};

function ask(model: string, more: object): Promise<Response> {
  return gateway.chat(customer.key, { ...hello, model, ...more });
}

test("several choices are asked of the providers that give them, and of no other when those fail", async () => {
  for (const stream of [false, true]) {
    p1.script("m-two", status(500));
    const response = await ask("m-two", { n: 2, stream });
    assert.equal(response.status, 502);
    await response.text();
    assert.equal(p2.log.length, 0);
    const plain = await ask("m-two", { n: 1, stream });
    assert.equal(plain.status, 200);
    await plain.text();
    assert.equal(p2.log.length, 1);
    assert.equal(plain.headers.get("x-skillboss-dropped"), null);
    p2.clear();
  }
});

test("what was sent with another value than asked for is told by name", async () => {
  for (const stream of [false, true]) {
    const changed = async (model: string, more: object): Promise<string | null> => {
      const response = await ask(model, { ...more, stream });
      await response.text();
      return response.headers.get("x-skillboss-changed");
    };
    assert.equal(
      await changed("m-claude", { temperature: 1.7, max_tokens: 70_000 }),
      "temperature, max_tokens",
    );
    assert.equal(await changed("m-chat", { max_completion_tokens: 70_000 }), "max_completion_tokens");
    assert.equal(await changed("m-chat", { temperature: 1.7, max_tokens: 60_000 }), null);
  }
});

test("a conversation that began with one maker's model goes on with OpenAI's, without what only others know", async () => {
  const mark = { type: "ephemeral" };
  const text = { type: "text", text: "Long" };
  const thought = [{ type: "reasoning.text", text: "Hm", signature: "c2ln", format: "anthropic-claude-v1" }];
  const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
  const thinking = { reasoning_content: "Hm", reasoning_details: thought };
  const result = { role: "tool", tool_call_id: "c1", content: "1" };
  const messages = [
    { role: "user", content: [{ ...text, cache_control: mark }] },
    { role: "assistant", content: null, ...thinking, tool_calls: [{ ...call, index: 0 }] },
    result,
  ];
  for (const stream of [false, true]) {
    const openai = await ask("gpt-4o-mini", { messages, stream });
    assert.equal(openai.status, 200, await openai.text());
    assert.deepEqual(p1.log.at(-1)?.json["messages"], [
      { role: "user", content: [text] },
      { role: "assistant", content: null, tool_calls: [call] },
      result,
    ]);
    assert.deepEqual((openai.headers.get("x-skillboss-dropped") ?? "").split(", ").toSorted(), [
      "messages[].content[].cache_control",
      "messages[].reasoning_content",
      "messages[].reasoning_details",
      "messages[].tool_calls[].index",
    ]);
    const deepseek = await ask("deepseek-flash", { messages, stream });
    assert.equal(deepseek.status, 200, await deepseek.text());
    assert.deepEqual(p2.log.at(-1)?.json["messages"], messages);
    assert.equal(deepseek.headers.get("x-skillboss-dropped"), null);
  }
});

const custom = {
  tools: [{ type: "custom", custom: { name: "run_sql", format: { type: "text" } } }],
  tool_choice: { type: "custom", custom: { name: "run_sql" } },
};
const customHistory = {
  messages: [
    ...hello.messages,
    {
      role: "assistant",
      tool_calls: [{ id: "c1", type: "custom", custom: { name: "run_sql", input: "select 1" } }],
    },
    { role: "tool", tool_call_id: "c1", content: "1" },
  ],
};

test("custom tools and their calls reach a provider that has them unchanged, and no other", async () => {
  for (const stream of [false, true]) {
    for (const more of [custom, customHistory, { ...custom, ...customHistory }]) {
      const response = await ask("m-custom", { ...more, stream });
      await response.text();
      assert.equal(response.status, 200);
      const sent = p1.log.at(-1)?.json ?? {};
      for (const [member, value] of Object.entries(more)) assert.deepEqual(sent[member], value);
    }
    p1.script("m-custom", status(500));
    const failed = await ask("m-custom", { ...custom, stream });
    await failed.text();
    assert.deepEqual([failed.status, p2.log.length], [502, 0]);
    p1.clear();
  }
});

test("a model whose providers have no custom tools refuses them by name", async () => {
  const { tools, tool_choice } = custom;
  for (const model of ["m-only-two", "m-claude"]) {
    for (const [more, param] of [
      [{ tools }, "tools[0].type"],
      [{ tool_choice }, "tool_choice.type"],
      [customHistory, "messages[1].tool_calls[0].type"],
    ] as const) {
      const response = await ask(model, more);
      const { error } = (await response.json()) as { error: Record<string, unknown> };
      assert.deepEqual([response.status, error["code"], error["param"]], [400, "invalid_request", param]);
    }
  }
});

test("what a provider would leave out for another kind of answer is refused by name", async () => {
  const functions = [{ name: "look", parameters: { type: "object", properties: {} } }];
  for (const [more, param, words] of [
    [{ functions }, "functions", /takes tools/],
    [{ functions, function_call: "auto" }, "functions", /takes tools/],
    [{ modalities: ["text", "audio"] }, "modalities", /does not speak/],
  ] as const) {
    for (const model of ["m-only-two", "m-claude"]) {
      const response = await ask(model, more);
      const { error } = (await response.json()) as { error: Record<string, unknown> };
      assert.deepEqual([response.status, error["code"], error["param"]], [400, "invalid_request", param]);
      assert.match(String(error["message"]), words);
    }
    const taken = await ask("m-two", more);
    await taken.text();
    assert.equal(taken.status, 200);
    const [sent] = p1.log.slice(-1);
    for (const [member, value] of Object.entries(more)) assert.deepEqual(sent?.json[member], value);
  }
});

test("members that OpenAI's documentation bounds are refused by name beyond it", async () => {
  for (const [more, param, message] of [
    [{ top_logprobs: 2 }, "top_logprobs", "top_logprobs: goes with logprobs set to true only"],
    [{ functions: "x" }, "functions", "functions: want a list of 1 to 128 functions"],
    [{ logit_bias: { "5": 101 } }, "logit_bias.5", "logit_bias.5: want a number from -100 to 100"],
    [{ logit_bias: { a: 1 } }, "logit_bias.a", "logit_bias.a: want the id of a token as the name"],
    [{ modalities: "audio" }, "modalities", "modalities: want a list of 1 to 8 texts"],
  ] as const) {
    const response = await ask("m-chat", more);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    assert.deepEqual([response.status, error["param"], error["message"]], [400, param, message]);
  }
  assert.equal((await ask("m-chat", { logprobs: true, top_logprobs: 2 })).status, 200);
  assert.equal((await ask("m-chat", { top_logprobs: 0 })).status, 200);
});

test("a model that no provider serves with several choices refuses them before money is held", async () => {
  for (const model of ["m-only-two", "m-claude"]) {
    const response = await ask(model, { n: 2 });
    assert.equal(response.status, 400);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    assert.deepEqual([error["code"], error["param"]], ["invalid_request", "n"]);
    assert.match(String(error["message"]), /one answer per call/);
  }
  assert.deepEqual([p1.log.length, p2.log.length], [0, 0]);
});
