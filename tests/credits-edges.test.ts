/** Cases C-05 and C-13 to C-15 of the test plan: what must cost nothing, and what must fit the balance. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chatToEnd, hello } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { body, emptyContent, endWithoutFinish, errorEventAfter, ok, sse } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import { endsClean } from "./support/clean-end.ts";
import { jobCatalog, startFakeJobs } from "./support/fake-jobs.ts";
import type { FakeJobs } from "./support/fake-jobs.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { micro, trailOf } from "./support/money-trail.ts";
import { isWholePlan } from "./support/plan-scale.ts";
import { receiptOf } from "./support/receipts.ts";

let upstream: FakeUpstream;
let jobs: FakeJobs;
let gateway: Gateway;

before(async () => {
  upstream = await startFakeUpstream();
  jobs = await startFakeJobs();
  gateway = await startGateway({
    p1: upstream.baseUrl,
    a1: upstream.origin,
    moreFiles: jobCatalog,
    environment: { R1_API_KEY: "secret-r1", R1_BASE_URL: jobs.url },
  });
});

after(() => endsClean(gateway, upstream, jobs));

const ask = (customer: Customer, more: Readonly<Record<string, unknown>>): Promise<ChatExchange> =>
  chatToEnd({ url: gateway.url, key: customer.key, body: { model: "m-chat", messages: hello, ...more } });

const usage = { prompt_tokens: 50_000, completion_tokens: 0, total_tokens: 50_000 };

/** One choice that says `finish`, with the usage of a large prompt, whole or as a stream. */
function emptyAnswer(finish: string | null, meant: object = usage): Behaviour {
  const told = { id: "chatcmpl-fake", created: 1, model: "m-chat", usage: meant };
  const message = { role: "assistant", content: "" };
  const whole = {
    ...told,
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: finish }],
  };
  const chunk = {
    ...told,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: message, finish_reason: finish }],
  };
  const frames = `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
  return (call) => (call.record.stream ? sse(frames)(call) : body(JSON.stringify(whole))(call));
}

const emptyBody: Behaviour = (call) => (call.record.stream ? sse("data: {}\n\n")(call) : body("{}")(call));

const worthless: readonly (readonly [name: string, behaviour: Behaviour])[] = [
  ["empty content and no finish", emptyAnswer(null)],
  ["empty content and a proper finish", emptyContent({ prompt: 50_000 })],
  ["the finish `error` before any token", emptyAnswer("error")],
  ["an error event before any token", errorEventAfter(0, "no", { prompt: 50_000 })],
  ["the body {}", emptyBody],
  ["an end after the role", endWithoutFinish(0, { prompt: 50_000 })],
];

for (const [name, behaviour] of worthless) {
  for (const model of ["m-chat", "m-claude"]) {
    // These two are spelled out in OpenAI's wire only.
    if (model === "m-claude" && name.includes("finish") && !name.includes("proper")) continue;
    test(`C-05 ${name} of ${model} costs nothing, whole and streamed, and is in the usage list`, async () => {
      upstream.script(model, behaviour);
      const customer = await gateway.customer({ credits: "10.00" });
      for (const stream of [false, true]) {
        const exchange = await ask(customer, { model, stream });
        const endedAt = performance.now();
        const requestId = exchange.headers["x-request-id"];
        assert.equal(typeof requestId, "string");
        const receipt = await receiptOf(gateway, customer.key, String(requestId));
        const writtenAfterMs = performance.now() - endedAt;
        if (isWholePlan) assert.ok(writtenAfterMs < 2_000, `closed ${writtenAfterMs} ms after its end`);
        assert.equal(receipt.credits, "0.000000");
        // `empty` says why by itself.
        assert.ok(["empty", "failed"].includes(receipt.ending), receipt.ending);
        if (receipt.ending === "failed") assert.equal(typeof receipt.reason, "string");
        if (exchange.status === 200) assert.equal(exchange.json()._remaining_credits, 10);
      }
      const { body: balance } = await gateway.get(customer.key, "/v1/balance");
      assert.deepEqual([balance.available, balance.held], ["10.000000", "0.000000"]);
    });
  }
}

test("C-05 an answer that is all thinking, up to the limit that was asked for, costs what the provider takes", async () => {
  const thought = { ...usage, completion_tokens: 20, completion_tokens_details: { reasoning_tokens: 20 } };
  for (const [told, ending] of [
    [{ ...thought, total_tokens: 50_020 }, "done"],
    [usage, "empty"],
  ] as const) {
    upstream.script("m-chat", emptyAnswer("length", told));
    const customer = await gateway.customer({ credits: "10.00" });
    for (const stream of [false, true]) {
      const exchange = await ask(customer, { stream });
      const receipt = await receiptOf(gateway, customer.key, String(exchange.headers["x-request-id"]));
      assert.deepEqual([receipt.ending, receipt.credits !== "0.000000"], [ending, ending === "done"]);
    }
  }
});

test("C-13 a catalog with an unpriced model is refused at the start, by name", async () => {
  const limits = { context_window: 1_000, max_output: 1_000 };
  const half = [{ meter: "input_tokens", per: 1_000_000, usd: "1" }];
  const unpriced = [
    ["m-unpriced", [], /output_tokens/],
    ["m-half-priced", half, /output_tokens/],
    ["m-null-priced", null, /offers\S*price/],
  ] as const;
  const moreFiles = Object.fromEntries(
    unpriced.map(([id, price]) => {
      const offers = [{ provider: "p1", upstream_model: id, price }];
      return [`models/test/${id}.json`, { ...limits, id, kind: "chat", offers }];
    }),
  );
  const directory = mkdtempSync(join(tmpdir(), "skillboss-test-"));
  await assert.rejects(startGatewayProcess({ directory, moreFiles }), (error: Error) => {
    const faults = error.message.split("\n");
    for (const [id, , says] of unpriced)
      assert.match(faults.filter((fault) => fault.includes(`${id}.json`)).join(), says);
    return true;
  });
  rmSync(directory, { recursive: true, force: true });
});

test("C-13 no address but the chat's reaches a provider, and a free model leaves its trail", async () => {
  upstream.script("m-free", ok());
  const customer = await gateway.customer({ credits: "1.00" });
  const known = upstream.log.length;
  const addresses = ["completions", "embeddings", "images/generations", "messages", "responses"];
  addresses.push("messages/count_tokens", "models/m-chat/test", "audio/speech", "moderations", "batches");
  for (const address of addresses) {
    const response = await fetch(`${gateway.url}/v1/${address}`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "m-chat", messages: hello, input: "hi", prompt: "hi" }),
    });
    // Doors for other kinds of models refuse a chat model; what is no door is nothing.
    assert.ok([400, 404, 405, 415].includes(response.status), `${address} answers ${response.status}`);
    await response.body?.cancel();
  }
  assert.equal(upstream.log.length, known);
  const exchange = await ask(customer, { model: "m-free" });
  assert.equal(exchange.status, 200);
  const receipt = await receiptOf(gateway, customer.key, String(exchange.headers["x-request-id"]));
  assert.deepEqual([receipt.ending, receipt.credits], ["done", "0.000000"]);
  const trail = await trailOf(gateway, customer.accountId);
  assert.deepEqual(trail.calls.get(exchange.callId)?.kinds, ["hold", "release"]);
});

test("C-13 whichever door is asked for whichever model, no call of a provider is without its hold", async () => {
  for (const model of ["m-chat", "m-claude"]) upstream.script(model, ok());
  const customer = await gateway.customer();
  const asked = () => upstream.log.length + jobs.submissions.length;
  const known = asked();
  const { paths } = (await gateway.get(customer.key, "/openapi.json")).body;
  const doors = Object.keys(paths).filter((path) => "post" in paths[path] && !path.startsWith("/admin/"));
  assert.ok(doors.includes("/v1/run") && doors.includes("/v1/chat/completions"), doors.join());
  const openai = { messages: hello, input: "hi", prompt: "hi" };
  for (const model of ["m-chat", "m-claude", "m-free", "m-job", "m-run"]) {
    for (const door of doors) {
      for (const body of [openai, { inputs: {} }, { inputs: { messages: hello } }]) {
        const response = await fetch(gateway.url + door.replaceAll(/\{\w+\}/g, "none"), {
          method: "POST",
          headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
          body: JSON.stringify({ model, ...body }),
        });
        await response.text();
        assert.ok(response.status < 500, `${door} for ${model}: ${response.status}`);
      }
    }
  }
  const { calls } = await trailOf(gateway, customer.accountId);
  assert.ok(asked() - known >= 5, `${asked() - known} calls`);
  assert.equal(asked() - known, calls.size);
});

test("C-13 cached input that a price does not name costs what fresh input costs", async () => {
  const { body: models } = await gateway.get((await gateway.customer()).key, "/v1/models/m-chat");
  assert.equal(models.id, "m-chat");
  upstream.script("m-claude", ok({ tokens: 4, prompt: 100, cached: 40 }));
  const customer = await gateway.customer();
  const exchange = await ask(customer, { model: "m-claude", max_tokens: 10 });
  const trail = await trailOf(gateway, customer.accountId);
  assert.equal(trail.calls.get(exchange.callId)?.charged, 200n);
});

const image = (index: number) => ({
  type: "image_url",
  image_url: { url: `https://images.example/${index}.png` },
});
const manyTools = Array.from({ length: 100 }, (_, index) => ({
  type: "function",
  function: {
    name: `tool_${index}`,
    description: "Looks something up in a table and gives it back.",
    parameters: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
  },
}));

/** Of empty pages: a provider bills each for its text and an image of it. */
function pdfOf(pages: number): Readonly<Record<string, unknown>> {
  const page = "<</Type/Page/Parent 2 0 R>>";
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    `<</Type/Pages/MediaBox[0 0 612 792]/Kids[${Array.from({ length: pages }, (_, at) => `${at + 3} 0 R`).join(" ")}]/Count ${pages}>>`,
    ...Array.from({ length: pages }, () => page),
  ];
  const text = objects.map((object, at) => `${at + 1} 0 obj${object}endobj\n`).join("");
  const bytes = Buffer.from(`%PDF-1.4\n${text}trailer<</Root 1 0 R>>\n%%EOF`);
  const data = `data:application/pdf;base64,${bytes.toString("base64")}`;
  return { type: "file", file: { file_data: data, filename: "a.pdf" } };
}

/** Of 4,000 tokens. */
const long = "hello ".repeat(4_000);
const user = { role: "user", content: "hi" };
const schemaWith = (description: string) => ({ name: "answer", schema: { type: "object", description } });

type Load = {
  readonly name: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** What a plain call with one choice would cost; the balance is 1.2 times that. */
  readonly plainCost: number;
  /** Prompt tokens that the provider reports. */
  readonly prompt: number;
};

const loads: readonly Load[] = [
  { name: "n = 8", request: { n: 8, max_tokens: 500 }, plainCost: 5_020, prompt: 8 },
  {
    name: "twenty images",
    request: {
      max_tokens: 300,
      messages: [{ role: "user", content: Array.from({ length: 20 }, (_, i) => image(i)) }],
    },
    plainCost: 3_250,
    prompt: 20 * 1_600,
  },
  {
    name: "a PDF of twenty pages in three kilobytes",
    request: { max_tokens: 300, messages: [{ role: "user", content: [pdfOf(20)] }] },
    plainCost: 118_000,
    prompt: 20 * 2_350,
  },
  {
    name: "a hundred tools",
    request: { max_tokens: 300, tools: manyTools },
    plainCost: 3_250,
    prompt: 4_000,
  },
  {
    name: "a legacy function with a long description",
    request: { max_tokens: 300, functions: [{ name: "f", description: long }] },
    plainCost: 3_250,
    prompt: 4_000,
  },
  {
    name: "a long schema for the answer",
    request: { max_tokens: 300, response_format: { type: "json_schema", json_schema: schemaWith(long) } },
    plainCost: 3_250,
    prompt: 4_000,
  },
  ...Object.entries({
    refusal: long,
    reasoning_content: long,
    reasoning_details: [{ type: "reasoning.text", text: long }],
    function_call: { name: "f", arguments: long },
    name: long,
    content: [{ type: "refusal", refusal: long }],
  }).map(([member, value]) => ({
    name: `an earlier answer with a long ${member}`,
    request: { max_tokens: 300, messages: [{ role: "assistant", content: "", [member]: value }, user] },
    plainCost: 3_250,
    prompt: 4_000,
  })),
  {
    name: "hidden reasoning",
    request: { max_completion_tokens: 2_000, reasoning_effort: "high" },
    plainCost: 3_020,
    prompt: 8,
  },
  {
    name: "max_tokens above the model's",
    request: { max_tokens: 10_000_000 },
    plainCost: 6_000,
    prompt: 8,
  },
];

for (const { name, request, plainCost, prompt } of loads) {
  test(`C-14 ${name}: refused or cut to fit the balance, never below zero and never at the house's loss`, async () => {
    // Emits all it may, and hides most of it as reasoning.
    upstream.script("m-chat", ok({ tokens: 70_000, prompt, text: "t", reasoning: 1_000 }));
    const credits = (plainCost * 1.2) / 1_000_000;
    for (const stream of [false, true]) {
      const customer = await gateway.customer({ credits: credits.toFixed(6) });
      const known = upstream.log.length;
      const exchange = await ask(customer, { stream, ...request });
      assert.ok([200, 402].includes(exchange.status), `status ${exchange.status}`);
      const trail = await trailOf(gateway, customer.accountId);
      if (exchange.status === 402) {
        assert.equal(upstream.log.length, known);
        assert.ok(exchange.json().error.required_credits > credits);
        assert.equal(trail.calls.size, 0);
        continue;
      }
      assert.ok(exchange.isComplete);
      assert.equal(exchange.json()._limited_by, "insufficient_balance");
      const call = trail.calls.get(exchange.callId);
      assert.ok(call !== undefined);
      assert.ok(call.charged > 0n && call.charged <= call.held);
      assert.equal(call.loss, 0n);
    }
  });
}

test("C-14 what a provider charges above the hold is the house's loss, not the customer's", async () => {
  upstream.script("m-chat", ok({ tokens: 900, prompt: 90_000, overruns: true }));
  const customer = await gateway.customer({ credits: "1.00" });
  const exchange = await ask(customer, { max_tokens: 10 });
  const call = (await trailOf(gateway, customer.accountId)).calls.get(exchange.callId);
  assert.ok(call !== undefined);
  assert.equal(call.charged, call.held);
  assert.equal(call.charged + call.loss, 234_000n);
  const receipt = await receiptOf(gateway, customer.key, String(exchange.headers["x-request-id"]));
  assert.equal(micro(receipt.credits), call.charged);
});

test("C-15 a low balance buys a shorter answer, and says so", async () => {
  // One token each: 93, and 7 for the template.
  const messages = [{ role: "user", content: `hello${" hello".repeat(92)}` }];
  upstream.script("m-chat", ok({ tokens: 5_000, prompt: 100 }));
  for (const [stream, limit] of [
    [false, {}],
    [true, {}],
    [false, { max_tokens: 4_096 }],
    [true, { max_tokens: 4_096 }],
  ] as const) {
    const customer = await gateway.customer({ credits: "0.003000" });
    const exchange = await ask(customer, {
      ...{ messages, stream, stream_options: { include_usage: true } },
      ...limit,
    });
    assert.equal(exchange.status, 200);
    assert.ok(exchange.isComplete);
    const last = exchange.json();
    assert.ok(last.usage.completion_tokens >= 200, `${last.usage.completion_tokens} tokens`);
    assert.equal(last._limited_by, "insufficient_balance");
    assert.equal(last._balance_warning, true);
    assert.ok(exchange.text.includes('"finish_reason":"length"'));
    const sent = upstream.calls("m-chat").at(-1)?.json["max_tokens"];
    assert.equal(exchange.headers["x-skillboss-max-tokens"], String(sent));
    const { available, held } = await trailOf(gateway, customer.accountId);
    assert.ok(available >= 0n && available < 750n, `${available} are left`);
    assert.equal(held, 0n);
  }
});

test("C-15 a balance too low for any useful answer is told what would be needed", async () => {
  const customer = await gateway.customer({ credits: "0.000300" });
  const exchange = await ask(customer, {});
  assert.equal(exchange.status, 402);
  const { error } = exchange.json();
  assert.equal(error.available_credits, 0.0003);
  assert.ok(error.required_credits > 0.0003 && error.required_credits < 0.002);
  const enough = await gateway.customer({ credits: error.required_credits.toFixed(6) });
  upstream.script("m-chat", ok({ tokens: 5_000, prompt: 8 }));
  assert.equal((await ask(enough, {})).status, 200);
});

test("C-15 a small PDF is answered from a balance that pays for its pages, with as much output as is left", async () => {
  const request = { max_tokens: 4_096, messages: [{ role: "user", content: [pdfOf(3)] }] };
  upstream.script("m-chat", ok({ tokens: 5_000, prompt: 3 * 2_350 }));
  const refused = await ask(await gateway.customer({ credits: "0.000300" }), request);
  assert.equal(refused.status, 402);
  const needed: number = refused.json().error.required_credits;
  const customer = await gateway.customer({ credits: needed.toFixed(6) });
  const exchange = await ask(customer, request);
  assert.equal(exchange.status, 200);
  assert.equal(exchange.json()._limited_by, "insufficient_balance");
  const call = (await trailOf(gateway, customer.accountId)).calls.get(exchange.callId);
  assert.ok(call !== undefined);
  assert.equal(call.loss, 0n);
  assert.ok(call.held < 3n * call.charged, `${call.held} are held for ${call.charged}`);
});

/** Each choice is as long as it may be. */
const fullChoices: Behaviour = (call) => {
  const { n = 1, max_tokens: most = 0 } = call.record.json as { n?: number; max_tokens?: number };
  const message = { role: "assistant", content: "word" };
  const choices = Array.from({ length: n }, (_, index) => ({ index, message, finish_reason: "length" }));
  const told = { prompt_tokens: 8, completion_tokens: n * most, total_tokens: 8 + n * most };
  const answer = { id: "chatcmpl-fake", object: "chat.completion", created: 1, model: "m-chat" };
  return body(JSON.stringify({ ...answer, choices, usage: told }))(call);
};

test("C-15 a low balance buys a useful answer in each choice or none, and never one at the house's loss", async () => {
  upstream.script("m-chat", fullChoices);
  for (const [n, credits] of [
    [8, "0.003000"],
    [100, "0.000800"],
  ] as const) {
    const customer = await gateway.customer({ credits });
    const known = upstream.log.length;
    const refused = await ask(customer, { n, max_tokens: 4_096 });
    assert.equal(refused.status, 402, `${n} choices for ${credits}`);
    assert.equal(upstream.log.length, known);
    const enough = await gateway.customer({ credits: refused.json().error.required_credits.toFixed(6) });
    const exchange = await ask(enough, { n, max_tokens: 4_096 });
    assert.equal(exchange.status, 200);
    assert.ok(Number(exchange.headers["x-skillboss-max-tokens"]) >= 64);
    const call = (await trailOf(gateway, enough.accountId)).calls.get(exchange.callId);
    assert.ok(call !== undefined);
    assert.equal(call.loss, 0n);
  }
});
