import assert from "node:assert/strict";
import { test } from "node:test";
import { awkwardText, chatBattery } from "../chat-battery.ts";
import { batteryView, collect, cutAt, framesOf, streamed } from "../collected-chat.test-support.ts";
import { openaiChat } from "./chat.ts";
import { asEvents, plainTarget, toldChunk, toldUsageChunk, toldWhole } from "./told-answers.test-support.ts";

const meters = { input_tokens: 15, cache_read_tokens: 5, output_tokens: 7 };
const shown = { prompt_tokens: 20, completion_tokens: 7 };
const role = toldChunk({ role: "assistant", content: "", refusal: null });

function textStream(text: string, finishReason: string): string {
  const pieces = text.match(/[^]{1,4}/gu) ?? [];
  const chunks = pieces.map((piece) => toldChunk({ content: piece }));
  return asEvents(role, ...chunks, toldChunk({}, finishReason), toldUsageChunk, "[DONE]");
}

function callStream(
  ...calls: readonly { id: string; function: { name: string; arguments: string } }[]
): string {
  const chunks = calls.flatMap((call, index) => [
    toldChunk({
      tool_calls: [{ index, ...call, type: "function", function: { ...call.function, arguments: "" } }],
    }),
    ...(call.function.arguments.match(/[^]{1,5}/gu) ?? []).map((piece) => {
      return toldChunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }),
  ]);
  return asEvents(role, ...chunks, toldChunk({}, "tool_calls"), toldUsageChunk, "[DONE]");
}

const weather = {
  id: "call_1",
  type: "function",
  function: { name: "weather", arguments: '{"place": "Köln \\"Süd\\"", "days": 3}' },
};
const time = { id: "call_2", type: "function", function: { name: "time", arguments: "{}" } };
const toldWeather = { name: "weather", arguments: { place: 'Köln "Süd"', days: 3 } };
const called = { content: "", finishReason: "tool_calls", meters, shown };

const text = {
  whole: toldWhole({ content: awkwardText, refusal: null }, "stop"),
  stream: textStream(awkwardText, "stop"),
  expected: { content: awkwardText, toolCalls: [], finishReason: "stop", meters, shown },
};

chatBattery("openai", openaiChat, {
  target: plainTarget,
  text,
  toolCall: {
    whole: toldWhole({ content: null, tool_calls: [weather] }, "tool_calls"),
    stream: callStream(weather),
    expected: { ...called, toolCalls: [toldWeather] },
  },
  parallelToolCalls: {
    whole: toldWhole({ content: null, tool_calls: [weather, time] }, "tool_calls"),
    stream: callStream(weather, time),
    expected: { ...called, toolCalls: [toldWeather, { name: "time", arguments: {} }] },
  },
  length: {
    whole: toldWhole({ content: "one two" }, "length"),
    stream: textStream("one two", "length"),
    expected: { content: "one two", toolCalls: [], finishReason: "length", meters, shown },
  },
  brokenStream: {
    stream: asEvents(role, toldChunk({ content: "some " }), '{"error":{"message":"no capacity","code":503}}'),
    kind: "overloaded",
  },
  silentStream: asEvents(role),
  unreadableEvent: 'data: {"choices": [}\n\n',
});

test("S-05 text told as \\u escapes is the same text, at any cut", () => {
  const escaped = text.stream.replaceAll(/[^\0-\u007f]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  const bytes = Buffer.from(escaped);
  for (let at = 0; at < bytes.length; at++) {
    const { bytes: out, translation } = streamed(
      openaiChat.stream(batteryView, plainTarget),
      cutAt(bytes, [at]),
    );
    assert.equal(collect(framesOf(out)).content, awkwardText);
    assert.equal(translation.outputText(), awkwardText);
  }
});

test("C-05 what a provider reports without output is told as no output", () => {
  for (const body of [
    toldWhole({ content: "" }, "stop"),
    toldWhole({ content: null }, "stop", { choices: [] }),
  ]) {
    assert.equal(openaiChat.whole(Buffer.from(body), batteryView, plainTarget).hasOutput, false);
  }
  const stream = asEvents(role, toldChunk({}, "stop"), toldUsageChunk, "[DONE]");
  const { translation } = streamed(openaiChat.stream(batteryView, plainTarget), [Buffer.from(stream)]);
  assert.deepEqual([translation.hasOutput, translation.complete], [false, true]);
});
