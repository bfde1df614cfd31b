import assert from "node:assert/strict";
import { test } from "node:test";
import { openaiMembers } from "./anthropic-form.ts";

test("a chat in OpenAI's form is left as it is", () => {
  const messages = [{ role: "user", content: [{ type: "text", text: "Hi" }] }];
  const tools = [{ type: "function", function: { name: "f" } }];
  assert.deepEqual(openaiMembers({ messages, tools, tool_choice: "auto", stop: ["x"] }), {});
  assert.deepEqual(
    openaiMembers({ messages, tool_choice: { type: "function", function: { name: "f" } } }),
    {},
  );
});

test("a system text comes before all messages, in one piece", () => {
  const user = { role: "user", content: "Hi" };
  const system = [
    { type: "text", text: "One." },
    { type: "text", text: "Two." },
  ];
  assert.deepEqual(openaiMembers({ system, messages: [user] }), {
    messages: [{ role: "system", content: "One.\nTwo." }, user],
  });
  assert.deepEqual(openaiMembers({ system: "", messages: [user] }), {});
});

test("tools, the choice among them, their calls and results have OpenAI's form", () => {
  const schema = { type: "object" };
  assert.deepEqual(
    openaiMembers({
      tools: [{ name: "f", description: "does", input_schema: schema }],
      tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
      stop_sequences: ["x"],
      messages: [
        {
          role: "assistant",
          content: [
            { type: "text", text: "Well." },
            { type: "tool_use", id: "t", name: "f", input: { a: 1 } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "2" }] },
            { type: "text", text: "So?" },
          ],
        },
        {
          role: "user",
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AA==" } }],
        },
      ],
    }),
    {
      tools: [{ type: "function", function: { name: "f", description: "does", parameters: schema } }],
      tool_choice: { type: "function", function: { name: "f" } },
      parallel_tool_calls: false,
      stop: ["x"],
      messages: [
        {
          role: "assistant",
          content: "Well.",
          tool_calls: [{ id: "t", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
        },
        { role: "tool", tool_call_id: "t", content: "2" },
        { role: "user", content: [{ type: "text", text: "So?" }] },
        { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }] },
      ],
    },
  );
});

test("pictures in the results of tools, and the marks for what a cache keeps, are not lost", () => {
  const mark = { cache_control: { type: "ephemeral" } };
  const source = { type: "base64", media_type: "image/png", data: "AA==" };
  const image_url = { url: "data:image/png;base64,AA==" };
  const results = [
    {
      type: "tool_result",
      tool_use_id: "t",
      content: [
        { type: "text", text: "Seen:" },
        { type: "image", source },
      ],
    },
    { type: "tool_result", tool_use_id: "u", content: "2", ...mark },
  ];
  assert.deepEqual(
    openaiMembers({
      system: [
        { type: "text", text: "One." },
        { type: "text", text: "Long.", ...mark },
      ],
      tools: [{ name: "f", input_schema: {}, ...mark }],
      messages: [
        { role: "user", content: [{ type: "image", source, ...mark }] },
        { role: "user", content: results },
      ],
    }),
    {
      tools: [{ type: "function", function: { name: "f", parameters: {} }, ...mark }],
      messages: [
        {
          role: "system",
          content: [
            { type: "text", text: "One." },
            { type: "text", text: "Long.", ...mark },
          ],
        },
        { role: "user", content: [{ type: "image_url", image_url, ...mark }] },
        {
          role: "tool",
          tool_call_id: "t",
          content: [
            { type: "text", text: "Seen:" },
            { type: "image_url", image_url },
          ],
        },
        { role: "tool", tool_call_id: "u", content: "2", ...mark },
      ],
    },
  );
});
