import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage, ToolCall } from "../../core/chat.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { anthropicChat } from "./chat.ts";
import { refusedParam, sent, targetWith } from "./sample-call.test-support.ts";

function call(id: string, text = "{}", name = "look"): ToolCall {
  return { id, type: "function", function: { name, arguments: text } };
}

function asked(...ids: readonly string[]): ChatMessage {
  return { role: "assistant", content: null, tool_calls: ids.map((id) => call(id)) };
}

function result(id: string, content: ChatMessage["content"] = `result of ${id}`): ChatMessage {
  return { role: "tool", tool_call_id: id, content };
}

const view = { model: "asked", id: "chatcmpl-1", created: 1, choices: 1 };
const hi: ChatMessage = { role: "user", content: "Hi" };
const text = (value: string): object => ({ type: "text", text: value });

function turns(...messages: readonly ChatMessage[]): unknown {
  return sent({ messages }).body["messages"];
}

test("leading system and developer messages become system blocks in their order, empty texts are left out", () => {
  const { body } = sent({
    messages: [
      { role: "system", content: "One" },
      {
        role: "developer",
        content: [
          { type: "text", text: "Two" },
          { type: "text", text: " " },
        ],
      },
      { role: "system", content: "" },
      hi,
    ],
  });
  assert.deepEqual(body["system"], [text("One"), text("Two")]);
  assert.deepEqual(body["messages"], [{ role: "user", content: [text("Hi")] }]);
});

test("a later instruction stays where it is, marked within the user's turn, and is not hoisted", () => {
  const messages: readonly ChatMessage[] = [hi, { role: "developer", content: "Be brief" }];
  const { body } = sent({ messages });
  assert.equal("system" in body, false);
  const marked = text("<system_instructions>\nBe brief\n</system_instructions>");
  assert.deepEqual(body["messages"], [{ role: "user", content: [text("Hi"), marked] }]);
});

test("a conversation of instructions only is asked as the user's, one without any text is refused", () => {
  const { body } = sent({ messages: [{ role: "system", content: "Tell a joke" }] });
  assert.deepEqual(body["messages"], [{ role: "user", content: [text("Tell a joke")] }]);
  assert.equal("system" in body, false);
  assert.equal(refusedParam({ messages: [{ role: "user", content: "  " }] }), "messages");
});

test("messages of one role that follow each other are one turn, and names are left out", () => {
  assert.deepEqual(
    turns(
      { role: "user", content: "a", name: "Ann" },
      { role: "user", content: "b" },
      { role: "assistant", content: "c" },
      { role: "assistant", content: "d", refusal: "e" },
      { role: "user", content: "f" },
    ),
    [
      { role: "user", content: [text("a"), text("b")] },
      { role: "assistant", content: [text("c"), text("d"), text("e")] },
      { role: "user", content: [text("f")] },
    ],
  );
});

test("white space at the end of an answer to go on with is left out, and stays anywhere else", () => {
  const part = { type: "text", text: "b \n", cache_control: { type: "ephemeral" } } as const;
  const spaced: ChatMessage = { role: "user", content: "a " };
  const begun: ChatMessage = { role: "assistant", content: [{ type: "text", text: "a\n" }, part] };
  const ended = [text("a\n"), { ...text("b"), cache_control: { type: "ephemeral" } }];
  assert.deepEqual(turns(spaced, begun), [
    { role: "user", content: [text("a ")] },
    { role: "assistant", content: ended },
  ]);
  assert.deepEqual(turns(hi, begun, spaced), [
    { role: "user", content: [text("Hi")] },
    { role: "assistant", content: [text("a\n"), part] },
    { role: "user", content: [text("a ")] },
  ]);
});

test("all results of one turn come first in one user turn, whatever was sent between them", () => {
  assert.deepEqual(turns(hi, asked("a", "b"), result("b"), hi, result("a", "")), [
    { role: "user", content: [text("Hi")] },
    {
      role: "assistant",
      content: [
        { type: "tool_use", id: "a", name: "look", input: {} },
        { type: "tool_use", id: "b", name: "look", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "b", content: "result of b" },
        { type: "tool_result", tool_use_id: "a", content: "" },
        text("Hi"),
      ],
    },
  ]);
});

test("text comes before the tool calls, and a result may hold parts", () => {
  const messages: readonly ChatMessage[] = [
    hi,
    { role: "assistant", content: "Looking", tool_calls: [call("a", '{"x":1}')] },
    result("a", [{ type: "text", text: "seen" }]),
  ];
  assert.deepEqual(turns(...messages), [
    { role: "user", content: [text("Hi")] },
    {
      role: "assistant",
      content: [text("Looking"), { type: "tool_use", id: "a", name: "look", input: { x: 1 } }],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: [text("seen")] }] },
  ]);
});

test("a missing, a foreign and a doubled tool result are refused by name before anything is sent", () => {
  const param = (...messages: readonly ChatMessage[]): string => refusedParam({ messages });
  assert.equal(param(hi, asked("a", "b"), result("a")), "messages[1].tool_calls[1]");
  assert.equal(param(hi, asked("a"), hi), "messages[1].tool_calls[0]");
  assert.equal(param(hi, asked("a"), asked("b"), result("a"), result("b")), "messages[1].tool_calls[0]");
  assert.equal(param(hi, asked("a"), result("z")), "messages[2].tool_call_id");
  assert.equal(param(hi, asked("a"), result("a"), result("a")), "messages[3].tool_call_id");
  assert.equal(param(hi, { role: "tool", content: "x" }), "messages[1].tool_call_id");
  assert.equal(param(hi, asked("a", "a"), result("a")), "messages[1].tool_calls[1].id");
  assert.equal(param(hi, { role: "function", name: "f", content: "x" }), "messages[1].role");
});

function onlyIds(messages: readonly ChatMessage[]): readonly string[] {
  return sent({ messages }).text.match(/(?<="(?:tool_use_id|id)":")[^"]+/g) ?? [];
}

test("ids of a foreign form are mapped to one form, the same for a call and its result, and always the same", () => {
  const foreign = ["functions.look:0", "call|1", "x".repeat(300), "ø"];
  const messages: readonly ChatMessage[] = [hi, asked(...foreign), ...foreign.map((id) => result(id))];
  const ids = onlyIds(messages);
  assert.equal(ids.length, 8);
  for (const id of ids) assert.match(id, /^[a-zA-Z0-9_-]{1,64}$/);
  assert.deepEqual(ids.slice(4), ids.slice(0, 4));
  assert.equal(new Set(ids).size, 4);
  assert.deepEqual(onlyIds(messages), ids);
  assert.deepEqual(onlyIds([hi, asked("toolu_01Ab-c"), result("toolu_01Ab-c")]), [
    "toolu_01Ab-c",
    "toolu_01Ab-c",
  ]);
});

test("ids that are used again in a later turn stay distinct and keep their own results", () => {
  const ids = onlyIds([hi, asked("call_0"), result("call_0"), asked("call_0"), result("call_0")]);
  assert.deepEqual(ids, ["call_0", "call_0", ids[2], ids[2]]);
  assert.notEqual(ids[2], "call_0");
});

test("arguments that are no JSON object are refused by position, empty ones are no arguments", () => {
  const messages = (argumentsText: string): readonly ChatMessage[] => [
    hi,
    { role: "assistant", tool_calls: [call("a"), call("b", argumentsText)] },
    result("a"),
    result("b"),
  ];
  for (const bad of ["{", "[1]", "null", "7", '"x"', "{'a':1}"]) {
    assert.equal(
      refusedParam({ messages: messages(bad) }),
      "messages[1].tool_calls[1].function.arguments",
      bad,
    );
  }
  for (const empty of ["", " "]) assert.equal(refusedParam({ messages: messages(empty) }), "");
});

test("arguments that are nested too deep to be written again are refused by position", () => {
  for (const [depth, param] of [
    [100, ""],
    [5_000, "messages[1].tool_calls[0].function.arguments"],
    [100_000, "messages[1].tool_calls[0].function.arguments"],
  ] as const) {
    const nested = `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    const messages = [hi, { role: "assistant" as const, tool_calls: [call("a", nested)] }, result("a")];
    assert.equal(refusedParam({ messages }), param, String(depth));
  }
});

test("S-09 numbers in arguments keep every digit", () => {
  const { text: body } = sent({
    messages: [
      hi,
      {
        role: "assistant",
        tool_calls: [call("a", '{"n":12345678901234567890,"m":[0.12345678901234567890]}')],
      },
      result("a"),
    ],
  });
  assert.ok(body.includes('"input":{"n":12345678901234567890,"m":[0.12345678901234567890]}'));
});

test("thinking as it was given out goes back unchanged and first, foreign or unsigned thinking does not", () => {
  const details = [
    { type: "reasoning.text", text: "Hm", signature: "c2ln", format: "anthropic-claude-v1", index: 0 },
    { type: "reasoning.encrypted", data: "opaque", format: "anthropic-claude-v1", index: 1 },
    { type: "reasoning.text", text: "unsigned", index: 2 },
    { type: "reasoning.encrypted", data: "other", format: "openai-responses-v1", index: 3 },
  ];
  const messages: readonly ChatMessage[] = [
    hi,
    { role: "assistant", content: "So", tool_calls: [call("a")], reasoning_details: details },
    result("a"),
  ];
  const assistantTurn = {
    role: "assistant",
    content: [
      { type: "thinking", thinking: "Hm", signature: "c2ln" },
      { type: "redacted_thinking", data: "opaque" },
      text("So"),
      { type: "tool_use", id: "a", name: "look", input: {} },
    ],
  };
  const bodyTurns = sent({ messages }).body["messages"];
  assert.ok(Array.isArray(bodyTurns));
  assert.deepEqual(bodyTurns[1], assistantTurn);
  const withoutThinking = sent({ messages }, targetWith({ thinking: "none" })).text;
  assert.equal(withoutThinking.includes("c2ln"), false);
});

const signed = (signature: string, index?: number): JsonObject => ({
  ...{ type: "reasoning.text", text: "Hm", signature, format: "anthropic-claude-v1" },
  ...(index === undefined ? {} : { index }),
});

/** What the assistant's turn holds that goes back: signatures, texts and names of tools. */
function goneBack(message: Omit<ChatMessage, "role">): unknown {
  const results = (message.tool_calls ?? []).map(({ id }) => result(id));
  const { body } = sent({ messages: [hi, { role: "assistant", ...message }, ...results, hi] });
  const [, turn] = objectsOf(body["messages"]);
  return objectsOf(turn?.["content"]).map(({ signature, text: told, id }) => signature ?? told ?? id);
}

function objectsOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

test("thinking between text and tool calls goes back where it stood", () => {
  const answer = { type: "message", stop_reason: "tool_use", usage: { input_tokens: 1, output_tokens: 1 } };
  const thought = (signature: string) => ({ type: "thinking", thinking: "Hm", signature });
  const use = (id: string) => ({ type: "tool_use", id, name: "look", input: {} });
  for (const content of [
    [thought("s1"), text("So"), thought("s2"), use("a")],
    [text("So"), thought("s1"), use("a"), thought("s2"), use("b")],
    [thought("s1"), use("a"), { type: "redacted_thinking", data: "x" }, thought("s2"), use("b")],
  ]) {
    const bytes = Buffer.from(JSON.stringify({ ...answer, content }));
    const whole: unknown = JSON.parse(`{${anthropicChat.whole(bytes, view, targetWith()).members}}`);
    const message = objectsOf(isJsonObject(whole) ? whole["choices"] : [])[0]?.["message"] as ChatMessage;
    const results = (message.tool_calls ?? []).map(({ id }) => result(id));
    const [, turn] = objectsOf(sent({ messages: [hi, message, ...results] }).body["messages"]);
    assert.deepEqual(turn?.["content"], content);
  }
});

test("indices that tell no places leave thinking first", () => {
  const rest = { content: "So", tool_calls: [call("a")] };
  for (const indices of [
    [0, 1],
    [undefined, undefined],
    [5, 2],
    [0.5, 3],
  ]) {
    const details = indices.map((index, at) => signed(`s${at}`, index));
    assert.deepEqual(goneBack({ ...rest, reasoning_details: details }), ["s0", "s1", "So", "a"]);
  }
});

test("thinking whose place in a text cannot be known is left out with all before it, and what comes later stays", () => {
  const split: ChatMessage = {
    role: "assistant",
    content: "One, two",
    reasoning_details: [signed("s2", 0), signed("s3", 2)],
  };
  const led = (signature: string): ChatMessage => ({
    ...{ role: "assistant", content: "So", reasoning_details: [signed(signature, 0)] },
  });
  const told = sent({ messages: [hi, led("s1"), hi, split, hi, led("s4"), hi] }).text;
  assert.deepEqual(told.match(/s\d/g), ["s4"]);
  assert.ok(told.includes("One, two"));
  const alone = sent({ messages: [hi, { ...split, content: null }, hi] }).body["messages"];
  assert.deepEqual(
    objectsOf(alone).map(({ role }) => role),
    ["user", "user"],
  );
});

test("streamed pieces of thinking that a client kept apart are joined to the signed block they were", () => {
  const { text: body } = sent({
    messages: [
      hi,
      {
        role: "assistant",
        content: "So",
        reasoning_details: [
          { type: "reasoning.text", text: "He", index: 0 },
          { type: "reasoning.text", text: "m", index: 0 },
          { type: "reasoning.text", signature: "c2ln", index: 0 },
          { type: "reasoning.text", text: "Next", signature: "bmV4", index: 1 },
        ],
      },
      hi,
    ],
  });
  assert.ok(body.includes('{"type":"thinking","thinking":"Hem","signature":"c2ln"}'));
  assert.ok(body.includes('{"type":"thinking","thinking":"Next","signature":"bmV4"}'));
});
