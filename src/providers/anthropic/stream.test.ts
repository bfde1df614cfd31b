import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { collect, framesOf, streamed } from "../collected-chat.test-support.ts";
import type { Streamed } from "../collected-chat.test-support.ts";
import { anthropicChat } from "./chat.ts";
import { eventStream, targetWith } from "./sample-call.test-support.ts";

const view = { model: "as-asked", id: "chatcmpl-1", created: 1_750_000_000, choices: 1 };

const began = {
  type: "message_start",
  message: {
    type: "message",
    content: [],
    usage: { input_tokens: 7, cache_read_input_tokens: 2, output_tokens: 1 },
  },
};
const started = (index: number, block: JsonObject): JsonObject => ({
  type: "content_block_start",
  index,
  content_block: block,
});
const delta = (index: number, told: JsonObject): JsonObject => ({
  type: "content_block_delta",
  index,
  delta: told,
});
const text = (index: number, value: string): JsonObject => delta(index, { type: "text_delta", text: value });
const json = (index: number, value: string): JsonObject =>
  delta(index, { type: "input_json_delta", partial_json: value });
const stopped = (index: number): JsonObject => ({ type: "content_block_stop", index });
const tool = (id: string): JsonObject => ({ type: "tool_use", id, name: "look", input: {} });
const ended = (reason: string, more: JsonObject = {}): readonly JsonObject[] => [
  { type: "message_delta", delta: { stop_reason: reason, ...more }, usage: { output_tokens: 20 } },
  { type: "message_stop" },
];

function run(...events: readonly JsonObject[]): Streamed {
  return streamed(anthropicChat.stream(view, targetWith()), [Buffer.from(eventStream(events))]);
}

function deltasOf({ bytes }: Streamed): readonly unknown[] {
  return framesOf(bytes).map(({ choices }) => {
    assert.ok(Array.isArray(choices) && isJsonObject(choices[0]));
    return choices[0]["delta"];
  });
}

test("the first frame tells the role, the last one why it ended, and all are told alike", () => {
  const frames = framesOf(
    run(began, started(0, { type: "text", text: "" }), text(0, "Hi"), ...ended("end_turn")).bytes,
  );
  const frame = (told: JsonObject, reason: string | null = null): JsonObject => ({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_750_000_000,
    model: "as-asked",
    choices: [{ index: 0, delta: told, logprobs: null, finish_reason: reason }],
  });
  assert.deepEqual(frames, [
    frame({ role: "assistant", content: "" }),
    frame({ content: "Hi" }),
    frame({}, "stop"),
  ]);
});

test("event lines are not needed, and unknown events, deltas and blocks are passed over", () => {
  const events = [
    { type: "ping" },
    began,
    { type: "compaction_notice", data: 1 },
    {},
    started(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
    json(0, '{"q":1}'),
    stopped(0),
    started(1, { type: "text", text: "" }),
    delta(1, { type: "citations_delta", citation: {} }),
    text(1, "Hi"),
    text(9, "!"),
    stopped(1),
    ...ended("end_turn"),
  ];
  const bare = events.map((event) => `data:${JSON.stringify(event)}\n\n`).join("") + "data: [DONE]\n\n";
  const result = streamed(anthropicChat.stream(view, targetWith()), [Buffer.from(bare)]);
  const { content, toolCalls, finishReason } = collect(framesOf(result.bytes));
  assert.deepEqual([content, toolCalls, finishReason], ["Hi!", [], "stop"]);
  assert.equal(result.translation.complete, true);
});

test("tool calls are counted among themselves, and one without fragments has empty arguments once", () => {
  const result = run(
    began,
    started(0, { type: "text", text: "" }),
    text(0, "See"),
    stopped(0),
    started(1, tool("toolu_1")),
    json(1, ""),
    stopped(1),
    stopped(1),
    started(2, tool("toolu_2")),
    json(2, '{"a"'),
    json(2, ":1}"),
    stopped(2),
    started(3, tool("toolu_3")),
    ...ended("tool_use"),
  );
  const call = (index: number, id: string): JsonObject => ({
    tool_calls: [{ index, id, type: "function", function: { name: "look", arguments: "" } }],
  });
  const fragment = (index: number, value: string): JsonObject => ({
    tool_calls: [{ index, function: { arguments: value } }],
  });
  assert.deepEqual(deltasOf(result), [
    { role: "assistant", content: "" },
    { content: "See" },
    call(0, "toolu_1"),
    fragment(0, "{}"),
    call(1, "toolu_2"),
    fragment(1, '{"a"'),
    fragment(1, ":1}"),
    call(2, "toolu_3"),
    fragment(2, "{}"),
    {},
  ]);
  assert.equal(collect(framesOf(result.bytes)).finishReason, "tool_calls");
  assert.equal(result.translation.outputText(), 'Seelook{}look{"a":1}look{}');
});

test("blocks that come whole in their first event lose nothing", () => {
  const result = run(
    began,
    started(0, { type: "text", text: "See" }),
    started(1, { ...tool("toolu_1"), input: { a: 1 } }),
    stopped(1),
    ...ended("tool_use"),
  );
  const { content, toolCalls } = collect(framesOf(result.bytes));
  assert.deepEqual([content, toolCalls], ["See", [{ id: "toolu_1", name: "look", arguments: '{"a":1}' }]]);
});

test("thinking is shown as it comes, and once more whole with its signature", () => {
  const thinking = (value: string): JsonObject => delta(0, { type: "thinking_delta", thinking: value });
  const result = run(
    began,
    started(0, { type: "thinking", thinking: "", signature: "" }),
    thinking("H"),
    thinking("m"),
    delta(0, { type: "signature_delta", signature: "c2ln" }),
    stopped(0),
    started(1, { type: "redacted_thinking", data: "opaque" }),
    stopped(1),
    ...ended("max_tokens"),
  );
  const format = "anthropic-claude-v1";
  assert.deepEqual(deltasOf(result), [
    { role: "assistant", content: "" },
    { reasoning_content: "H" },
    { reasoning_content: "m" },
    { reasoning_details: [{ type: "reasoning.text", text: "Hm", signature: "c2ln", format, index: 0 }] },
    { reasoning_details: [{ type: "reasoning.encrypted", data: "opaque", format, index: 1 }] },
    {},
  ]);
  assert.deepEqual([result.translation.hasOutput, result.translation.outputText()], [true, "Hm"]);
});

test("a refusal may have no block at all: it is shown, and ends with content_filter", () => {
  const explained = run(began, ...ended("refusal", { stop_details: { explanation: "Not this." } }));
  assert.deepEqual(deltasOf(explained), [{ role: "assistant", content: "" }, { refusal: "Not this." }, {}]);
  assert.equal(collect(framesOf(explained.bytes)).finishReason, "content_filter");
  assert.equal(explained.translation.hasOutput, true);
  const silent = run(began, ...ended("refusal"));
  assert.deepEqual(deltasOf(silent)[1], { refusal: "The model declined to answer." });
  assert.deepEqual([silent.translation.hasOutput, silent.translation.outputText()], [true, ""]);
});

test("a repeated message_start shows the role once and undoes no counts", () => {
  const result = run(began, began, text(0, "Hi"), ...ended("end_turn").slice(0, 1), began, {
    type: "message_stop",
  });
  assert.deepEqual(deltasOf(result), [{ role: "assistant", content: "" }, { content: "Hi" }, {}]);
  assert.equal(result.translation.usage?.meters.output_tokens, 20);
});

test("content before message_start still comes after a role", () => {
  assert.deepEqual(deltasOf(run(text(0, "Hi")))[0], { role: "assistant", content: "" });
});

test("the last usage wins where it tells a number, null and what it leaves out do not", () => {
  const usage = { input_tokens: 9, cache_read_input_tokens: null, output_tokens: 30 };
  const result = run(
    began,
    { type: "message_delta", delta: {}, usage: { output_tokens: 5 } },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage },
    { type: "message_stop" },
  );
  assert.deepEqual(result.translation.usage?.meters, {
    input_tokens: 9,
    cache_read_tokens: 2,
    output_tokens: 30,
  });
});

test("an aborted stream has its input counted, and no usage that would pass for a whole one", () => {
  const { translation } = run(began, text(0, "Hi"));
  assert.equal(translation.usage, undefined);
  assert.deepEqual(translation.promptUsage, { input_tokens: 7, cache_read_tokens: 2 });
  assert.equal(translation.complete, false);
  const half = run(began, { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: {} });
  assert.equal(half.translation.usage, undefined);
  const silent = run({ type: "message_start", message: {} }, ...ended("end_turn"));
  assert.deepEqual([silent.translation.usage, silent.translation.promptUsage], [undefined, undefined]);
});

test("a stream cut after its stop reason but before message_stop is not complete", () => {
  const { translation } = run(began, text(0, "Hi"), ...ended("end_turn").slice(0, 1));
  assert.deepEqual([translation.complete, translation.closing()], [false, ""]);
  assert.equal(translation.usage?.meters.output_tokens, 20);
});

test("nothing is told after the end of the message", () => {
  const translation = anthropicChat.stream(view, targetWith());
  const more = eventStream([
    began,
    text(0, "Hi"),
    ...ended("end_turn"),
    text(0, "late"),
    { type: "error", error: {} },
  ]);
  assert.equal(translation.push(Buffer.from(more)).includes("late"), false);
  assert.equal(translation.push(Buffer.from("data: nonsense\n\n")), "");
  assert.deepEqual([translation.complete, translation.fault], [true, undefined]);
});

test("errors within a stream are the fault their type tells", () => {
  const kindOf = (type: string): unknown =>
    run(began, { type: "error", error: { type, message: "m" } }).translation.fault?.kind;
  const types = [
    "overloaded_error",
    "rate_limit_error",
    "api_error",
    "invalid_request_error",
    "billing_error",
  ];
  assert.deepEqual(types.map(kindOf), ["overloaded", "overloaded", "broken", "rejected", "account"]);
  assert.equal(run(began, { type: "error" }).translation.fault?.kind, "broken");
});

test("an event without end is a fault, not memory without end", () => {
  const translation = anthropicChat.stream(view, targetWith());
  const piece = Buffer.alloc(1024 * 1024, "x");
  for (let pushed = 0; pushed < 8 && translation.fault === undefined; pushed += 1) translation.push(piece);
  assert.equal(translation.fault?.kind, "unreadable");
});
