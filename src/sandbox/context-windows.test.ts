import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startSandbox } from "./sandbox.ts";
import type { RunningSandbox } from "./sandbox.ts";

/** Chat models of these providers take this many tokens; of others it is not known. */
const windows = new Map([
  ["openai gpt-5", 1_000],
  ["anthropic claude-opus-5", 1_000],
  ["anthropic claude-opus-4-1", 1_000],
]);

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ windowOf: (provider, model) => windows.get(`${provider} ${model}`) });
});
after(async () => {
  await sandbox.stop();
});

/** One token a word. */
const words = (count: number): string => Array.from({ length: count }, () => "rain").join(" ");

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail("it was answered"),
    (reason: unknown) => reason,
  );
}

describe("on OpenAI's wire", () => {
  const ask = (count: number, more: Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming> = {}) =>
    new OpenAI({ baseURL: `${sandbox.url}/openai/v1`, apiKey: "k", maxRetries: 0 }).chat.completions.create({
      model: "gpt-5",
      messages: [{ role: "user", content: words(count) }],
      ...more,
    });

  test("a prompt longer than the window is refused, and one with the output asked for, to the token", async () => {
    // Seven tokens frame one message.
    assert.equal((await ask(993)).usage?.prompt_tokens, 1_000);
    for (const asked of [ask(994), ask(893, { max_completion_tokens: 101 }), ask(893, { max_tokens: 101 })]) {
      const error = await refusalOf(asked);
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.deepEqual(
        [error.code, error.param, error.type],
        ["context_length_exceeded", "messages", "invalid_request_error"],
      );
      assert.match(error.message, /maximum context length is 1000 tokens/);
    }
    assert.equal((await ask(893, { max_tokens: 100 })).usage?.prompt_tokens, 900);
  });

  test("a model of unknown window takes any prompt", async () => {
    assert.equal((await ask(5_000, { model: "gpt-4o" })).usage?.prompt_tokens, 5_007);
  });
});

describe("on Anthropic's wire", () => {
  const ask = (count: number, maxTokens: number, model = "claude-opus-5") =>
    new Anthropic({ baseURL: `${sandbox.url}/anthropic`, apiKey: "k", maxRetries: 0 }).messages.create({
      model,
      max_tokens: maxTokens,
      messages: [{ role: "user", content: `[sandbox:tokens-50]${words(count)}` }],
    });
  /** What frames the message and orders the length. */
  const framing = async (): Promise<number> => (await ask(1, 10)).usage.input_tokens - 1;

  test("a prompt longer than the window is refused with both counts", async () => {
    const beside = await framing();
    const error = await refusalOf(ask(1_001 - beside, 10));
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.equal(error.type, "invalid_request_error");
    assert.match(error.message, /prompt is too long: 1001 tokens > 1000 maximum/);
  });

  test("newer models answer as far as the window goes and say so; older ones refuse what might not fit", async () => {
    const beside = await framing();
    const answer = await ask(980 - beside, 100);
    assert.deepEqual(
      [answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens],
      ["model_context_window_exceeded", 980, 20],
    );
    assert.equal((await ask(980 - beside, 15)).stop_reason, "max_tokens");
    const error = await refusalOf(ask(980 - beside, 100, "claude-opus-4-1"));
    assert.ok(error instanceof Anthropic.BadRequestError);
    assert.match(error.message, /exceed context limit: 980 \+ 100 > 1000/);
  });
});
