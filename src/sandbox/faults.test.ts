import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startSandbox } from "./sandbox.ts";
import type { RunningSandbox } from "./sandbox.ts";

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const openai = (): OpenAI =>
  new OpenAI({ baseURL: `${sandbox.url}/openai/v1`, apiKey: "k", maxRetries: 0, logLevel: "off" });
const anthropic = (): Anthropic =>
  new Anthropic({ baseURL: `${sandbox.url}/anthropic`, apiKey: "k", maxRetries: 0, logLevel: "off" });

type Sent = { readonly prompt?: string; readonly model?: string; readonly headers?: Record<string, string> };

/** The three ways to give an order. */
const ordered = (fault: string): readonly Sent[] => [
  { prompt: `Rain [sandbox:fault-${fault}]` },
  { model: `claude-fault-${fault}` },
  { headers: { "x-sandbox-fault": fault } },
];

function askOpenai({
  prompt = "Rain",
  model = "gpt-5",
  headers = {},
}: Sent): Promise<OpenAI.Chat.ChatCompletion> {
  return openai().chat.completions.create(
    { model, messages: [{ role: "user", content: prompt }] },
    { headers },
  );
}

function askAnthropic({
  prompt = "Rain",
  model = "claude-opus-5",
  headers = {},
}: Sent): Promise<Anthropic.Message> {
  const messages = [{ role: "user" as const, content: prompt }];
  return anthropic().messages.create({ model, max_tokens: 100, messages }, { headers });
}

async function streamOpenai(fault: string, pace = ""): Promise<OpenAI.Chat.ChatCompletionChunk[]> {
  const seen: OpenAI.Chat.ChatCompletionChunk[] = [];
  const stream = await openai().chat.completions.create({
    model: "gpt-5",
    messages: [{ role: "user", content: `[sandbox:fault-${fault}]${pace} Rain` }],
    stream: true,
    stream_options: { include_usage: true },
  });
  try {
    for await (const chunk of stream) seen.push(chunk);
  } catch (reason) {
    throw new Interrupted(seen, reason);
  }
  return seen;
}

async function streamAnthropic(fault: string): Promise<Anthropic.MessageStreamEvent[]> {
  const seen: Anthropic.MessageStreamEvent[] = [];
  const stream = await anthropic().messages.create({
    model: "claude-opus-5",
    max_tokens: 100,
    messages: [{ role: "user", content: `[sandbox:fault-${fault}] Rain` }],
    stream: true,
  });
  try {
    for await (const event of stream) seen.push(event);
  } catch (reason) {
    throw new Interrupted(seen, reason);
  }
  return seen;
}

class Interrupted extends Error {
  readonly seen: readonly unknown[];
  constructor(seen: readonly unknown[], cause: unknown) {
    super("interrupted", { cause });
    this.seen = seen;
  }
}

async function interruption(work: Promise<unknown>): Promise<Interrupted> {
  const reason: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(reason instanceof Interrupted, String(reason));
  return reason;
}

describe("an ordered status", () => {
  const openaiErrors = [
    ["400", OpenAI.BadRequestError, 400],
    ["401", OpenAI.AuthenticationError, 401],
    ["402", OpenAI.APIError, 402],
    ["429", OpenAI.RateLimitError, 429],
    ["500", OpenAI.InternalServerError, 500],
    ["503", OpenAI.InternalServerError, 503],
    ["529", OpenAI.InternalServerError, 503],
  ] as const;
  for (const [fault, kind, status] of openaiErrors) {
    test(`${fault} is a ${status} on the OpenAI wire, however it was ordered`, async () => {
      for (const sent of ordered(fault)) {
        await assert.rejects(askOpenai(sent), (error) => error instanceof kind && error.status === status);
      }
    });
  }

  const anthropicErrors = [
    ["400", "invalid_request_error"],
    ["401", "authentication_error"],
    ["402", "billing_error"],
    ["429", "rate_limit_error"],
    ["500", "api_error"],
    ["503", "api_error"],
    ["529", "overloaded_error"],
  ] as const;
  for (const [fault, type] of anthropicErrors) {
    test(`${fault} is a ${type} on the Messages wire, however it was ordered`, async () => {
      for (const sent of ordered(fault)) {
        await assert.rejects(askAnthropic(sent), (error) => {
          assert.ok(error instanceof Anthropic.APIError);
          assert.equal(error.status, Number(fault));
          assert.equal(error.type, type);
          assert.match(error.requestID ?? "", /^req_/);
          return true;
        });
      }
    });
  }

  test("429 carries each provider's own headers", async () => {
    await assert.rejects(askOpenai({ prompt: "[sandbox:fault-429]" }), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.equal(error.headers.get("retry-after"), "1");
      assert.equal(error.headers.get("x-ratelimit-remaining-requests"), "0");
      assert.equal(error.code, "rate_limit_exceeded");
      return true;
    });
    await assert.rejects(askAnthropic({ prompt: "[sandbox:fault-429]" }), (error) => {
      assert.ok(error instanceof Anthropic.RateLimitError);
      assert.equal(error.headers.get("retry-after"), "1");
      assert.equal(error.headers.get("anthropic-ratelimit-requests-remaining"), "0");
      assert.match(
        error.headers.get("anthropic-ratelimit-requests-reset") ?? "",
        /^\d{4}-\d\d-\d\dT[\d:]+Z$/,
      );
      return true;
    });
  });
});

describe("a stream that is interrupted", () => {
  test("breaks off after a few deltas when it is to be cut", async () => {
    const { seen } = await interruption(streamOpenai("cut"));
    assert.equal(seen.length, 4);
    const { seen: events } = await interruption(streamAnthropic("cut"));
    assert.ok(events.length > 1 && events.length < 8);
  });

  test("tells the error in its wire's form when it is to fail", async () => {
    const { cause } = await interruption(streamOpenai("error"));
    assert.ok(cause instanceof OpenAI.APIError && cause.type === "server_error");
    const { cause: other } = await interruption(streamAnthropic("error"));
    assert.ok(other instanceof Anthropic.APIError && other.type === "overloaded_error");
  });

  test("holds a frame that is no JSON when it is to be malformed", async () => {
    assert.ok((await interruption(streamOpenai("malformed"))).seen.length > 0);
    assert.ok((await interruption(streamAnthropic("malformed"))).seen.length > 0);
  });
});

describe("a whole answer that is interrupted", () => {
  test("breaks off in mid-body when it is to be cut", async () => {
    await assert.rejects(askOpenai({ prompt: "[sandbox:fault-cut]" }));
    await assert.rejects(askAnthropic({ prompt: "[sandbox:fault-cut]" }));
  });

  test("is no JSON when it is to be malformed", async () => {
    await assert.rejects(askOpenai({ prompt: "[sandbox:fault-malformed]" }), SyntaxError);
    await assert.rejects(askAnthropic({ prompt: "[sandbox:fault-malformed]" }), SyntaxError);
  });

  test("is a 500 when it is to fail", async () => {
    await assert.rejects(askOpenai({ prompt: "[sandbox:fault-error]" }), OpenAI.InternalServerError);
    await assert.rejects(askAnthropic({ prompt: "[sandbox:fault-error]" }), Anthropic.InternalServerError);
  });
});

test("an answer that is to be empty is complete and says nothing", async () => {
  const whole = await askOpenai({ prompt: "[sandbox:fault-empty]" });
  assert.equal(whole.choices[0]?.message.content, "");
  assert.equal(whole.usage?.completion_tokens, 0);
  assert.equal((await streamOpenai("empty")).length, 3);
  assert.deepEqual((await askAnthropic({ prompt: "[sandbox:fault-empty]" })).content, []);
  const events = await streamAnthropic("empty");
  assert.deepEqual(
    events.map((event) => event.type),
    ["message_start", "message_delta", "message_stop"],
  );
});

test("an answer without usage has none anywhere", async () => {
  assert.equal((await askOpenai({ prompt: "[sandbox:fault-nousage]" })).usage, undefined);
  assert.ok((await streamOpenai("nousage")).every((chunk) => !("usage" in chunk)));
  assert.equal((await askAnthropic({ prompt: "[sandbox:fault-nousage]" })).usage, undefined);
  assert.doesNotMatch(JSON.stringify(await streamAnthropic("nousage")), /"usage"/);
});

test("a slow answer comes after the ordered delay", async () => {
  const started = performance.now();
  await askOpenai({ headers: { "x-sandbox-fault": "slow", "x-sandbox-delay-ms": "80" } });
  await askAnthropic({ prompt: "[sandbox:delay-80]" });
  assert.ok(performance.now() - started >= 150);
});

test("deltas come at the ordered pace", async () => {
  const started = performance.now();
  const chunks = await streamOpenai("none", "[sandbox:pace-10][sandbox:tokens-12]");
  assert.ok(performance.now() - started >= 100);
  assert.equal(chunks.length, 15);
});

test("an answer that hangs ends when the client leaves, and the sandbox stops with answers open", async () => {
  const own = await startSandbox();
  const client = new OpenAI({ baseURL: `${own.url}/openai/v1`, apiKey: "k", maxRetries: 0, logLevel: "off" });
  const messages = [{ role: "user" as const, content: "Rain" }];
  const hanging = client.chat.completions.create({ model: "m-fault-hang", messages }, { timeout: 100 });
  await assert.rejects(hanging, OpenAI.APIConnectionTimeoutError);
  const paced = await client.chat.completions.create(
    { model: "m", messages, stream: true },
    { headers: { "x-sandbox-pace-ms": "60000" } },
  );
  const open = client.chat.completions.create({ model: "m-fault-hang", messages });
  const both = Promise.allSettled([
    open,
    (async () => {
      for await (const _ of paced) continue;
    })(),
  ]);
  await own.stop();
  assert.deepEqual(
    (await both).map(({ status }) => status),
    ["rejected", "rejected"],
  );
});
