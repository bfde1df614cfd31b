import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { WholeAnswer } from "../wire.ts";
import { UnreadableAnswer } from "../wire.ts";
import { anthropicChat } from "./chat.ts";
import { targetWith } from "./sample-call.test-support.ts";

const view = { model: "as-asked", id: "chatcmpl-1", created: 1_750_000_000, choices: 1 };
const usage = { input_tokens: 3, output_tokens: 5 };
const text = (value: string): JsonObject => ({ type: "text", text: value });

function whole(message: JsonObject): WholeAnswer {
  const body = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    stop_reason: "end_turn",
    usage,
    ...message,
  };
  return anthropicChat.whole(Buffer.from(JSON.stringify(body)), view, targetWith());
}

function choiceOf(answer: WholeAnswer): JsonObject {
  const body: unknown = JSON.parse(`{${answer.members}}`);
  assert.ok(isJsonObject(body) && Array.isArray(body["choices"]) && isJsonObject(body["choices"][0]));
  return body["choices"][0];
}

function messageOf(message: JsonObject): unknown {
  return choiceOf(whole(message))["message"];
}

test("the whole answer is an OpenAI chat completion without usage", () => {
  assert.deepEqual(JSON.parse(`{${whole({ content: [text("Hello "), text("there")] }).members}}`), {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_750_000_000,
    model: "as-asked",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Hello there", refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
  });
});

test("every stop reason has its counterpart, an unknown or missing one is stop", () => {
  const reason = (stop: unknown): unknown =>
    choiceOf(whole({ content: [text("x")], stop_reason: stop }))["finish_reason"];
  const told = ["end_turn", "stop_sequence", "pause_turn", "max_tokens", "model_context_window_exceeded"];
  assert.deepEqual(told.map(reason), ["stop", "stop", "stop", "length", "length"]);
  assert.deepEqual(["refusal", "compaction", null, 7].map(reason), [
    "content_filter",
    "stop",
    "stop",
    "stop",
  ]);
});

test("tool calls are counted among themselves, content is null when there is nothing else", () => {
  const call = (id: string, input: JsonObject): JsonObject => ({ type: "tool_use", id, name: "look", input });
  const content = [call("toolu_1", { a: [1] }), call("toolu_2", {})];
  const answer = whole({ content, stop_reason: "tool_use" });
  assert.equal(choiceOf(answer)["finish_reason"], "tool_calls");
  assert.deepEqual(choiceOf(answer)["message"], {
    role: "assistant",
    content: null,
    refusal: null,
    tool_calls: [
      { id: "toolu_1", type: "function", function: { name: "look", arguments: '{"a":[1]}' } },
      { id: "toolu_2", type: "function", function: { name: "look", arguments: "{}" } },
    ],
  });
  assert.deepEqual([answer.hasOutput, answer.outputText()], [true, 'look{"a":[1]}look{}']);
});

test("S-09 numbers in arguments keep every digit", () => {
  const body = `{"content":[{"type":"tool_use","id":"t","name":"n","input":{"a":12345678901234567890,"b":1e-7}}]}`;
  const answer = anthropicChat.whole(Buffer.from(body), view, targetWith());
  assert.ok(answer.members.includes(String.raw`{\"a\":12345678901234567890,\"b\":1e-7}`));
});

test("thinking is readable as reasoning_content and complete in reasoning_details", () => {
  const content = [
    { type: "thinking", thinking: "Hm, ", signature: "c2ln" },
    { type: "thinking", thinking: "so" },
    { type: "redacted_thinking", data: "opaque" },
    text("Yes"),
  ];
  const format = "anthropic-claude-v1";
  assert.deepEqual(messageOf({ content }), {
    role: "assistant",
    content: "Yes",
    refusal: null,
    reasoning_content: "Hm, so",
    reasoning_details: [
      { type: "reasoning.text", text: "Hm, ", signature: "c2ln", format, index: 0 },
      { type: "reasoning.encrypted", data: "opaque", format, index: 2 },
    ],
  });
  assert.equal(whole({ content }).outputText(), "Hm, soYes");
});

test("thinking that is shown is output, also without an answer after it", () => {
  const answer = whole({ content: [{ type: "thinking", thinking: "Hm" }], stop_reason: "max_tokens" });
  assert.deepEqual([answer.hasOutput, answer.outputText()], [true, "Hm"]);
  assert.equal(whole({ content: [] }).hasOutput, false);
});

test("a refusal has empty content, never null, and says so with or without an explanation", () => {
  const refusal = (details: unknown): unknown =>
    messageOf({ content: [], stop_reason: "refusal", stop_details: details });
  const told = { role: "assistant", content: "", refusal: "Not this." };
  assert.deepEqual(refusal({ type: "refusal", explanation: "Not this." }), told);
  assert.deepEqual(refusal(null), { ...told, refusal: "The model declined to answer." });
  const silent = whole({ content: [], stop_reason: "refusal" });
  assert.deepEqual([silent.hasOutput, silent.outputText()], [true, ""]);
});

test("cached tokens are part of what is shown and apart in what is charged, each once", () => {
  const counted = whole({
    content: [text("x")],
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 200,
      cache_read_input_tokens: 3000,
      cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 0 },
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 30 },
      service_tier: "standard",
      server_tool_use: null,
    },
  });
  assert.deepEqual(counted.usage, {
    shown: {
      prompt_tokens: 3210,
      completion_tokens: 50,
      total_tokens: 3260,
      prompt_tokens_details: { cached_tokens: 3000, cache_write_tokens: 200 },
      completion_tokens_details: { reasoning_tokens: 30 },
    },
    meters: { input_tokens: 10, cache_write_tokens: 200, cache_read_tokens: 3000, output_tokens: 50 },
  });
});

test("usage that is missing, half told or impossible is no usage, and no zero either", () => {
  const told = [undefined, null, {}, { input_tokens: 3 }, { output_tokens: 3 }, "x"];
  const impossible = [
    { input_tokens: -1, output_tokens: 1 },
    { input_tokens: 1, output_tokens: 1.5 },
  ];
  for (const each of [...told, ...impossible]) {
    assert.equal(whole({ content: [text("x")], usage: each }).usage, undefined);
  }
  const none = whole({ content: [text("x")], usage: { input_tokens: 0, output_tokens: 0 } }).usage;
  assert.deepEqual(none?.meters, { input_tokens: 0, output_tokens: 0 });
});

test("an error object with status 200 is the fault it tells", () => {
  const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  const read = (): unknown => anthropicChat.whole(Buffer.from(JSON.stringify(body)), view, targetWith());
  assert.throws(read, (error) => error instanceof UnreadableAnswer && error.fault.kind === "overloaded");
});
