import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResponseFormat } from "../../core/chat.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { readWhole, streamed, collect, framesOf } from "../collected-chat.test-support.ts";
import { anthropicChat } from "./chat.ts";
import { reducedSchema } from "./reduced-schema.ts";
import { eventStream, refusedParam, sent, targetWith } from "./sample-call.test-support.ts";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const format: ResponseFormat = { type: "json_schema", json_schema: { name: "place", schema, strict: true } };
const older = targetWith({ structuredOutput: false });
const tools = [{ type: "function" as const, function: { name: "look" } }];
const view = { model: "asked", id: "chatcmpl-1", created: 1, choices: 1 };

test("a schema goes to output_config where the model takes it, beside the effort", () => {
  const { body, dropped } = sent(
    { response_format: format, reasoning_effort: "low" },
    targetWith({ thinking: "adaptive" }),
  );
  const closed = { ...schema, additionalProperties: false };
  assert.deepEqual(body["output_config"], { effort: "low", format: { type: "json_schema", schema: closed } });
  assert.deepEqual([body["tools"], dropped], [undefined, []]);
});

test("older models are made to call a helper with the schema, or any tool when there are others", () => {
  const alone = sent({ response_format: format }, older).body;
  const helper = {
    name: "skillboss_json_output",
    description: "Gives the answer. Call it once, with the whole answer.",
    input_schema: schema,
  };
  assert.deepEqual(alone["tools"], [helper]);
  const forced = { type: "tool", name: helper.name, disable_parallel_tool_use: true };
  assert.deepEqual(alone["tool_choice"], forced);
  assert.equal("output_config" in alone, false);
  const look = { name: "look", input_schema: { type: "object", properties: {} } };
  const beside = sent({ response_format: format, tools }, older).body;
  assert.deepEqual([beside["tools"], beside["tool_choice"]], [[look, helper], { type: "any" }]);
  const silent = sent({ response_format: format, tools, tool_choice: "none" }, older).body;
  assert.deepEqual(silent["tool_choice"], forced);
  const called = sent({ response_format: format, tools, tool_choice: "required" }, older).body;
  assert.deepEqual([called["tools"], called["tool_choice"]], [[look], { type: "any" }]);
});

test("the helper drops thinking, which cannot be together with a forced tool", () => {
  const { body, dropped } = sent({ response_format: format, reasoning_effort: "low" }, older);
  assert.deepEqual(["thinking" in body, dropped], [false, ["reasoning_effort"]]);
});

test("schemas that no tool can have and unknown formats are refused by name", () => {
  const list: ResponseFormat = { type: "json_schema", json_schema: { name: "x", schema: { type: "array" } } };
  assert.equal(refusedParam({ response_format: list }, older), "response_format.json_schema.schema");
  const grammar = { type: "grammar" } as unknown as ResponseFormat;
  assert.equal(refusedParam({ response_format: grammar }), "response_format.type");
  assert.equal(refusedParam({ response_format: { type: "text" } }), "");
});

test("json_object is asked for in words, and no tool is forced", () => {
  const { body } = sent({
    messages: [
      { role: "system", content: "S" },
      { role: "user", content: "U" },
    ],
    response_format: { type: "json_object" },
  });
  const { system } = body;
  assert.ok(Array.isArray(system) && system.length === 2 && isJsonObject(system[1]));
  assert.match(String(system[1]["text"]), /one JSON object/);
  assert.equal("tools" in body, false);
});

const answer = { city: "København", long: "1" };
const usage = { input_tokens: 5, output_tokens: 9 };
const helperBlock = { type: "tool_use", id: "toolu_1", name: "skillboss_json_output" };

function wholeOf(...content: readonly JsonObject[]): JsonObject {
  return { type: "message", content, stop_reason: "tool_use", usage };
}

test("the helper's input is the content of a whole answer, which ends with stop", () => {
  const told = Buffer.from(JSON.stringify(wholeOf({ ...helperBlock, input: answer })));
  const whole = anthropicChat.whole(told, view, older);
  const { content, toolCalls, finishReason } = readWhole(whole);
  assert.deepEqual([JSON.parse(content), toolCalls, finishReason], [answer, [], "stop"]);
  assert.deepEqual([whole.hasOutput, whole.outputText()], [true, content]);
});

function streamOf(...pieces: readonly string[]): string {
  return eventStream([
    { type: "message_start", message: { usage } },
    { type: "content_block_start", index: 0, content_block: { ...helperBlock, input: {} } },
    ...pieces.map((json) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "input_json_delta", partial_json: json },
    })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage },
    { type: "message_stop" },
  ]);
}

test("the helper's fragments are the content of a stream, which ends with stop; none are an empty object", () => {
  const stream = Buffer.from(streamOf("", '{"city":"Køben', 'havn","long":"1"}'));
  const { bytes, translation } = streamed(anthropicChat.stream(view, older), [stream]);
  const { content, toolCalls, finishReason } = collect(framesOf(bytes));
  assert.deepEqual([JSON.parse(content), toolCalls, finishReason], [answer, [], "stop"]);
  assert.deepEqual([translation.hasOutput, translation.outputText()], [true, content]);
  const empty = streamed(anthropicChat.stream(view, older), [Buffer.from(streamOf(""))]);
  assert.equal(collect(framesOf(empty.bytes)).content, "{}");
});

test("an answer that calls a tool in place of the helper ends with tool_calls", () => {
  const call = { type: "tool_use", id: "toolu_2", name: "look", input: {} };
  const whole = anthropicChat.whole(Buffer.from(JSON.stringify(wholeOf(call))), view, older);
  assert.equal(readWhole(whole).finishReason, "tool_calls");
});

test("what the grammar cannot express is told in the description, and every object is closed", () => {
  const given = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      age: { type: "integer", minimum: 0, maximum: 150, description: "In years" },
      mail: { type: "string", format: "email" },
      code: { type: "string", format: "regex", pattern: "^a" },
      tags: { type: "array", items: { type: "string", minLength: 1 }, minItems: 1, maxItems: 3 },
      pets: { type: "array", minItems: 2, items: { $ref: "#/$defs/pet" } },
      shape: { oneOf: [{ type: "string" }, { type: "object", properties: {} }] },
      map: { type: ["object", "null"], additionalProperties: { type: "number" } },
      pattern: { const: 1 },
    },
    required: ["age"],
    additionalProperties: true,
    $defs: { pet: { properties: { name: { type: "string" } } } },
  };
  const before = structuredClone(given);
  assert.deepEqual(reducedSchema(given), {
    type: "object",
    properties: {
      age: { type: "integer", description: "In years\nMust hold: minimum: 0; maximum: 150" },
      mail: { type: "string", format: "email" },
      code: { type: "string", description: 'Must hold: format: "regex"; pattern: "^a"' },
      tags: {
        type: "array",
        items: { type: "string", description: "Must hold: minLength: 1" },
        minItems: 1,
        description: "Must hold: maxItems: 3",
      },
      pets: { type: "array", items: { $ref: "#/$defs/pet" }, description: "Must hold: minItems: 2" },
      shape: {
        anyOf: [{ type: "string" }, { type: "object", properties: {}, additionalProperties: false }],
      },
      map: {
        type: ["object", "null"],
        additionalProperties: false,
        description: 'Must hold: additionalProperties: {"type":"number"}',
      },
      pattern: { const: 1 },
    },
    required: ["age"],
    $defs: { pet: { properties: { name: { type: "string" } }, additionalProperties: false } },
    additionalProperties: false,
  });
  assert.deepEqual(given, before);
  const twice = reducedSchema({ anyOf: [{ type: "string" }], oneOf: [{ type: "null" }] });
  const told = 'Must hold: oneOf: [{"type":"null"}]';
  assert.deepEqual(twice, { anyOf: [{ type: "string" }], description: told });
});

test("a schema is refused by name where neither the model's output nor a forced tool can keep it", () => {
  const response = { type: "json_schema", json_schema: { name: "a", schema: { type: "object" } } } as const;
  const refusing = targetWith({ structuredOutput: false, forcedTools: false });
  assert.equal(refusedParam({ response_format: response }, refusing), "response_format.type");
  assert.equal(refusedParam({ response_format: response }, targetWith({ forcedTools: false })), "");
});
