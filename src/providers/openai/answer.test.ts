import assert from "node:assert/strict";
import { test } from "node:test";
import { batteryView } from "../collected-chat.test-support.ts";
import type { UpstreamFault, WholeAnswer } from "../wire.ts";
import { UnreadableAnswer } from "../wire.ts";
import { openaiAnswer } from "./answer.ts";
import { plainTarget, toldWhole } from "./told-answers.test-support.ts";

function read(text: string): WholeAnswer {
  return openaiAnswer(Buffer.from(text), batteryView, plainTarget);
}

function faultIn(text: string): UpstreamFault | undefined {
  try {
    read(text);
  } catch (error) {
    if (error instanceof UnreadableAnswer) return error.fault;
    throw error;
  }
  return undefined;
}

test("S-09 all members but ours keep their text and their order", () => {
  const choices =
    '[ {"index":0,"message":{"role":"assistant","content":"\\u00e9\\ud83d \\u0000","extra_content":{"google":{"thought_signature":"x"}}},"n":[12345678901234567890,1e-7,1.0]} ]';
  const text = `{"id":"a","object":"chat.completion","created":1,"model":"up","choices":${choices},"usage":{"x":1},"system_fingerprint":null,"cost_in_usd_ticks":5,"x_groq":{},"provider":"p","num_sources_used":0,"service_tier":"default"}`;
  assert.equal(
    `{${read(text).members}}`,
    `{"id":"a","object":"chat.completion","created":1,"model":"${batteryView.model}","choices":${choices},"system_fingerprint":null,"service_tier":"default"}`,
  );
});

test("id, time and object are ours when the answer has none", () => {
  const body = JSON.parse(
    `{${read('{"choices":[{"message":{"content":"a"}}],"id":"","created":"x"}').members}}`,
  ) as object;
  const { id, created, model } = batteryView;
  assert.deepEqual(body, {
    choices: [{ message: { content: "a" } }],
    id,
    created,
    object: "chat.completion",
    model,
  });
});

test("any kind of output in any choice is output, and is counted", () => {
  const messages: readonly (readonly [object, string])[] = [
    [{ content: "a" }, "a"],
    [
      {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "t" }] },
          { type: "text", text: "a" },
        ],
      },
      "ta",
    ],
    [{ content: null, refusal: "no" }, "no"],
    [{ content: "a", reasoning_content: "r" }, "ra"],
    [{ content: null, tool_calls: [{ function: { name: "f", arguments: "{}" } }] }, "f{}"],
    [{ content: null, tool_calls: [{ type: "custom", custom: { name: "f", input: "i" } }] }, "fi"],
    [{ content: null, function_call: { name: "f", arguments: "{}" } }, "f{}"],
    [{ content: null, audio: { data: "UklGRg==", transcript: "" } }, ""],
  ];
  for (const [message, output] of messages) {
    const choices = [{ message: { content: "" } }, { message }];
    const answer = read(toldWhole({}, "stop", { choices }));
    assert.deepEqual([answer.hasOutput, answer.outputText()], [true, output]);
  }
  for (const message of [
    {},
    { content: null },
    { content: "" },
    { content: [], tool_calls: [], audio: null },
  ]) {
    assert.equal(read(toldWhole(message, "stop")).hasOutput, false);
  }
});

test("U-07 every body that is no answer is unreadable", () => {
  const bodies = [
    "",
    "null",
    "[]",
    "{}",
    "<html><title>502</title></html>",
    toldWhole({ content: "a" }, "stop").slice(0, -1),
    '{"choices":null}',
    '{"choices":{}}',
    '{"choices":[null]}',
    '{"choices":[{}]}',
    '{"choices":[],"choices":[]}',
    "\u0000",
    "\ufeff{}",
  ];
  for (const body of bodies) assert.equal(faultIn(body)?.kind, "unreadable", body);
  assert.ok((faultIn(`<${"x".repeat(1_000)}`)?.detail.length ?? 201) <= 200);
});

test("U-07 an error told with 200 is that error, wrapped in an array or within a choice as well", () => {
  const bodies: readonly (readonly [string, string])[] = [
    ['{"error":{"message":"m","code":"insufficient_quota"}}', "account"],
    ['{"error":{"message":"m","code":429}}', "overloaded"],
    ['[{"error":{"code":503,"status":"UNAVAILABLE","message":"m"}}]', "overloaded"],
    ['{"error":{"type":"invalid_request_error","param":"tools","message":"m"}}', "rejected"],
    ['{"error":"words"}', "broken"],
    [toldWhole({ content: "half" }, "error"), "broken"],
    [toldWhole({}, "stop", { choices: [{ message: {}, error: { code: 502, message: "m" } }] }), "broken"],
  ];
  for (const [body, kind] of bodies) assert.equal(faultIn(body)?.kind, kind, body);
  assert.equal(faultIn(toldWhole({ content: "a" }, "stop", { error: null })), undefined);
});

test("an answer that DeepSeek broke off for lack of capacity is an overload, not an answer", () => {
  const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
  const told = toldWhole({ content: "half an ans" }, "insufficient_system_resource", { usage });
  const fault = faultIn(told);
  assert.equal(fault?.kind, "overloaded");
  assert.match(fault.detail, /insufficient_system_resource/);
  assert.equal(faultIn(toldWhole({ content: "a" }, "length")), undefined);
});

test("usage that cannot be true is no usage, and the answer stands", () => {
  const answer = read(
    toldWhole({ content: "a" }, "stop", { usage: { prompt_tokens: -1, completion_tokens: 2 } }),
  );
  assert.deepEqual([answer.usage, answer.hasOutput], [undefined, true]);
});

test("a prompt or an answer that Gemini's filters stop ends with content_filter, and has a message that clients can read", () => {
  const choicesOf = (...choices: readonly object[]) =>
    (JSON.parse(`{${read(JSON.stringify({ choices })).members}}`) as { choices: unknown }).choices;
  const message = { role: "assistant", content: null, refusal: null };
  for (const reason of ["content_filter: PROHIBITED_CONTENT", "SAFETY", "content_filter"])
    assert.deepEqual(choicesOf({ index: 0, finish_reason: reason }), [
      { index: 0, message, finish_reason: "content_filter" },
    ]);
  assert.equal(read('{"choices":[{"index":0,"finish_reason":"content_filter: X"}]}').hasOutput, false);
  const partly = { role: "assistant", content: "Once" };
  assert.deepEqual(choicesOf({ index: 0, message: partly, finish_reason: "RECITATION" }), [
    { index: 0, message: partly, finish_reason: "content_filter" },
  ]);
  assert.equal(faultIn('{"choices":[{"index":0,"finish_reason":"stop"}]}')?.kind, "unreadable");
});
