import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage, ChatTool, FunctionTool, ToolChoice } from "../../core/chat.ts";
import { hello, refusedParam, sent, targetWith } from "./sample-call.test-support.ts";

function tool(name: string, more: Partial<FunctionTool["function"]> = {}): ChatTool {
  return { type: "function", function: { name, ...more } };
}

const tools = [tool("look"), tool("find")];
const named = (name: string): ToolChoice => ({ type: "function", function: { name } });
const empty = { type: "object", properties: {} };

test("a tool's whole schema goes on, and a missing one is an empty object's", () => {
  const parameters = {
    type: "object",
    properties: { a: { anyOf: [{ $ref: "#/$defs/x" }, { type: "null" }], pattern: "^a" } },
    required: ["a"],
    additionalProperties: { type: "string" },
    $defs: { x: { type: "string", minLength: 2 } },
  };
  const { body } = sent({ tools: [tool("a", { description: "Does a", parameters }), tool("b")] });
  assert.deepEqual(body["tools"], [
    { name: "a", description: "Does a", input_schema: parameters },
    { name: "b", input_schema: empty },
  ]);
});

test("strict is sent only to models with structured output, and only with a schema they take", () => {
  const parameters = { type: "object", properties: { n: { type: "integer", minimum: 1 } } };
  const strict = [tool("a", { strict: true, parameters })];
  assert.deepEqual(sent({ tools: strict }, targetWith({ structuredOutput: false })).body["tools"], [
    { name: "a", input_schema: parameters },
  ]);
  const n = { type: "integer", description: "Must hold: minimum: 1" };
  const reduced = { type: "object", properties: { n }, additionalProperties: false };
  assert.deepEqual(sent({ tools: strict }).body["tools"], [
    { name: "a", input_schema: reduced, strict: true },
  ]);
});

test("every form of tool_choice has its counterpart", () => {
  const choice = (toolChoice: ToolChoice): unknown =>
    sent({ tools, tool_choice: toolChoice }).body["tool_choice"];
  assert.equal(choice("auto"), undefined);
  assert.deepEqual(choice("none"), { type: "none" });
  assert.deepEqual(choice("required"), { type: "any" });
  assert.deepEqual(choice(named("find")), { type: "tool", name: "find" });
});

test("a model that takes no forced tool gets every choice as a free one, keeps its thinking, and the change is told", () => {
  const free = targetWith({ forcedTools: false, thinking: "adaptive" });
  const required = { mode: "required", tools: [named("find")] };
  const choices = ["required", named("find"), { type: "allowed_tools", allowed_tools: required }] as const;
  for (const choice of choices) {
    const forced = { tools, tool_choice: choice, reasoning_effort: "high" };
    const { body, changed, dropped } = sent(forced, free);
    assert.deepEqual([body["tool_choice"], changed, dropped], [undefined, ["tool_choice"], []]);
    assert.ok("thinking" in body);
    const one = sent({ ...forced, parallel_tool_calls: false }, free).body["tool_choice"];
    assert.deepEqual(one, { type: "auto", disable_parallel_tool_use: true });
  }
  for (const choice of ["auto", "none", undefined] as const) {
    const { body, changed } = sent({ tools, tool_choice: choice }, free);
    assert.deepEqual([body, changed], [sent({ tools, tool_choice: choice }).body, []]);
  }
  assert.equal(refusedParam({ tools, tool_choice: named("gone") }, free), "tool_choice");
});

test("allowed_tools leaves only those tools, free or forced", () => {
  const allow = (mode: string, ...names: readonly string[]): ToolChoice => ({
    type: "allowed_tools",
    allowed_tools: { mode, tools: names.map(named) },
  });
  const free = sent({ tools, tool_choice: allow("auto", "find") }).body;
  assert.deepEqual(
    [free["tools"], free["tool_choice"]],
    [[{ name: "find", input_schema: empty }], undefined],
  );
  const forced = sent({ tools, tool_choice: allow("required", "look", "find") }).body;
  assert.deepEqual(forced["tool_choice"], { type: "any" });
  assert.equal(refusedParam({ tools, tool_choice: allow("auto", "gone") }), "tool_choice.allowed_tools");
  assert.equal(refusedParam({ tools, tool_choice: { type: "allowed_tools" } }), "tool_choice.allowed_tools");
});

test("parallel_tool_calls: false needs a choice to stand in, and is left out without tools or with none", () => {
  const choice = (members: object): unknown =>
    sent({ parallel_tool_calls: false, ...members }).body["tool_choice"];
  const alone = { disable_parallel_tool_use: true };
  assert.deepEqual(choice({ tools }), { type: "auto", ...alone });
  assert.deepEqual(choice({ tools, tool_choice: "required" }), { type: "any", ...alone });
  assert.deepEqual(choice({ tools, tool_choice: "none" }), { type: "none" });
  assert.equal(choice({}), undefined);
  assert.equal(choice({ tools, parallel_tool_calls: true }), undefined);
});

test("choices and tools that cannot be carried are refused by name", () => {
  assert.equal(refusedParam({ tool_choice: "required" }), "tool_choice");
  assert.equal(refusedParam({ tools, tool_choice: named("gone") }), "tool_choice");
  const custom = { type: "custom", custom: { name: "grammar" } } as unknown as ChatTool;
  assert.equal(refusedParam({ tools: [custom] }), "tools[0].type");
  assert.equal(refusedParam({ tools: [tool("skillboss_json_output")] }), "tools[0].function.name");
  assert.equal(refusedParam({ tools }, targetWith({ tools: false })), "tools");
  assert.equal(refusedParam({ tool_choice: "none" }), "");
});

test("tools of earlier calls are declared, not callable, when none are offered any more", () => {
  const call = (id: string, name: string) =>
    ({ id, type: "function", function: { name, arguments: "{}" } }) as const;
  const messages: readonly ChatMessage[] = [
    ...hello,
    { role: "assistant", tool_calls: [call("a", "look"), call("b", "look"), call("c", "find")] },
    ...["a", "b", "c"].map((id): ChatMessage => ({ role: "tool", tool_call_id: id, content: "x" })),
  ];
  const { body } = sent({ messages });
  const declared = ["look", "find"].map((name) => ({ name, input_schema: { type: "object" } }));
  assert.deepEqual([body["tools"], body["tool_choice"]], [declared, { type: "none" }]);
  const offered = sent({ messages, tools }).body;
  const both = ["look", "find"].map((name) => ({ name, input_schema: empty }));
  assert.deepEqual([offered["tools"], offered["tool_choice"]], [both, undefined]);
});
