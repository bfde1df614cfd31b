import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../core/json-object.ts";
import type { ExpectedAnswer, ToldAnswer } from "../chat-battery.ts";
import { awkwardText, chatBattery } from "../chat-battery.ts";
import { anthropicChat } from "./chat.ts";
import { callOf, eventStream, targetWith } from "./sample-call.test-support.ts";

/* Answers written by hand after the documented grammar of messages and their streams, not recorded:
   https://platform.claude.com/docs/en/api/messages and …/build-with-claude/streaming */

const startUsage = { input_tokens: 25, cache_creation_input_tokens: 10, cache_read_input_tokens: 100 };
const expectedUsage = {
  meters: { input_tokens: 25, cache_write_tokens: 10, cache_read_tokens: 100, output_tokens: 15 },
  shown: { prompt_tokens: 135, completion_tokens: 15 },
};

type Block = {
  readonly whole: JsonObject;
  readonly start: JsonObject;
  readonly deltas: readonly JsonObject[];
};

function textBlock(...pieces: readonly string[]): Block {
  return {
    whole: { type: "text", text: pieces.join("") },
    start: { type: "text", text: "" },
    deltas: pieces.map((text) => ({ type: "text_delta", text })),
  };
}

function toolBlock(name: string, input: JsonObject, pieces: readonly string[]): Block {
  const call = { type: "tool_use", id: `toolu_${name}`, name };
  return {
    whole: { ...call, input },
    start: { ...call, input: {} },
    deltas: pieces.map((json) => ({ type: "input_json_delta", partial_json: json })),
  };
}

function beginning(): readonly JsonObject[] {
  const usage = { ...startUsage, output_tokens: 1 };
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-upstream", content: [] };
  return [
    { type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null, usage } },
    { type: "ping" },
  ];
}

function told(
  blocks: readonly Block[],
  stopReason: string,
  expected: Omit<ExpectedAnswer, "meters" | "shown">,
): ToldAnswer {
  const whole = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-upstream",
    content: blocks.map((block) => block.whole),
    stop_reason: stopReason,
    stop_sequence: null,
    usage: { ...startUsage, output_tokens: 15 },
  };
  const stream = eventStream([
    ...beginning(),
    ...blocks.flatMap(({ start, deltas }, index) => [
      { type: "content_block_start", index, content_block: start },
      { type: "ping" },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: 15, input_tokens: null },
    },
    { type: "message_stop" },
  ]);
  return { whole: JSON.stringify(whole), stream, expected: { ...expected, ...expectedUsage } };
}

const pieces = [awkwardText.slice(0, 4), awkwardText.slice(4, 12), awkwardText.slice(12)];
const weather = { place: "København", days: 2 };
const weatherPieces = ["", '{"place":"Købe', 'nhavn","da', 'ys":2}'];

chatBattery("anthropic", anthropicChat, {
  target: targetWith(),
  text: told([textBlock(...pieces)], "end_turn", {
    content: awkwardText,
    toolCalls: [],
    finishReason: "stop",
  }),
  toolCall: told([textBlock("Let me see."), toolBlock("weather", weather, weatherPieces)], "tool_use", {
    content: "Let me see.",
    toolCalls: [{ name: "weather", arguments: weather }],
    finishReason: "tool_calls",
  }),
  parallelToolCalls: told(
    [toolBlock("weather", weather, weatherPieces), toolBlock("now", {}, [""])],
    "tool_use",
    {
      content: "",
      toolCalls: [
        { name: "weather", arguments: weather },
        { name: "now", arguments: {} },
      ],
      finishReason: "tool_calls",
    },
  ),
  length: told([textBlock("Once upon ", "a ", "time")], "max_tokens", {
    content: "Once upon a time",
    toolCalls: [],
    finishReason: "length",
  }),
  brokenStream: {
    stream: eventStream([
      ...beginning(),
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Well" } },
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    ]),
    kind: "overloaded",
  },
  silentStream: eventStream(beginning()),
  unreadableEvent: 'event: message_start\ndata: {"type":"message_st\n\n',
});

test("a request goes to /v1/messages in version 2023-06-01, as JSON, with the limit that was held for", () => {
  const request = anthropicChat.request(callOf({ max_tokens: 9, stream: true }, true), targetWith());
  assert.equal(request.path, "/v1/messages");
  assert.equal(request.headers["anthropic-version"], "2023-06-01");
  assert.equal(request.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(request.body), {
    model: "claude-upstream",
    max_tokens: 9,
    messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
    stream: true,
  });
  assert.deepEqual(request.dropped, []);
});
