import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage } from "../../core/chat.ts";
import { hello, refusedParam, sent, targetWith } from "./sample-call.test-support.ts";

const adaptive = targetWith({ thinking: "adaptive" });
const budget = targetWith();
const none = targetWith({ thinking: "none" });

test("adaptive models get the effort, and thinking that can be read", () => {
  const config = (effort: string): unknown => {
    const { body, dropped } = sent({ reasoning_effort: effort }, adaptive);
    assert.deepEqual(body["thinking"], { type: "adaptive", display: "summarized" });
    assert.deepEqual([body["max_tokens"], dropped], [4096, []]);
    return body["output_config"];
  };
  const efforts = ["minimal", "low", "medium", "high", "xhigh", "max"];
  const expected = ["low", "low", "medium", "high", "max", "max"].map((effort) => ({ effort }));
  assert.deepEqual(efforts.map(config), expected);
});

test("models with a budget get one that grows with the effort", () => {
  const budgets = ["minimal", "low", "medium", "high", "max"].map((effort) => {
    const { body } = sent(
      { reasoning_effort: effort, max_tokens: 64_000 },
      targetWith({}, { maxOutput: 64_000 }),
    );
    assert.equal("output_config" in body, false);
    assert.equal(body["max_tokens"], 64_000);
    return body["thinking"];
  });
  const expected = [1024, 2048, 8192, 16_384, 32_000].map((tokens) => ({
    type: "enabled",
    budget_tokens: tokens,
  }));
  assert.deepEqual(budgets, expected);
});

test("C-14 thinking never lifts the limit that credits are held for, and leaves half of it to the answer", () => {
  const target = targetWith({}, { maxOutput: 64_000 });
  const { body } = sent({ reasoning_effort: "high", max_tokens: 8192 }, target);
  assert.deepEqual([body["max_tokens"], body["thinking"]], [8192, { type: "enabled", budget_tokens: 4096 }]);
  const small = sent({ reasoning_effort: "high", max_tokens: 2000 }, target);
  assert.deepEqual([small.body["max_tokens"], small.dropped], [2000, ["reasoning_effort"]]);
  assert.equal("thinking" in small.body, false);
});

test("effort none turns thinking off where there is some", () => {
  for (const target of [adaptive, budget]) {
    const { body } = sent({ reasoning_effort: "none", temperature: 0.5 }, target);
    assert.deepEqual([body["thinking"], body["temperature"]], [{ type: "disabled" }, 0.5]);
    assert.equal("output_config" in body, false);
  }
  const { body, dropped } = sent({ reasoning_effort: "none" }, none);
  assert.deepEqual(["thinking" in body, dropped], [false, []]);
});

test("a model that always thinks is never told not to, but asked for the least, and the wish is named", () => {
  const always = targetWith({ thinking: "always" });
  for (const wish of [{ reasoning_effort: "none" }, { thinking: { type: "disabled" } }]) {
    const { body, dropped } = sent(wish, always);
    assert.equal("thinking" in body, false);
    assert.deepEqual([body["output_config"], dropped], [{ effort: "low" }, Object.keys(wish)]);
  }
  const { body, dropped } = sent({ reasoning_effort: "high" }, always);
  assert.deepEqual(body["thinking"], { type: "adaptive", display: "summarized" });
  assert.deepEqual([body["output_config"], dropped], [{ effort: "high" }, []]);
});

test("a model that has between_tools in place of disabled is sent that alone, and thinks adaptively otherwise", () => {
  const between = targetWith({ thinking: "between_tools", sampling: false });
  for (const wish of [
    { reasoning_effort: "none" },
    { thinking: { type: "disabled" }, reasoning_effort: "max" },
    { thinking: { type: "between_tools", display: "summarized" } },
  ]) {
    const { body, dropped } = sent(wish, between);
    assert.deepEqual(body["thinking"], { type: "between_tools" });
    assert.deepEqual(["output_config" in body, dropped], [false, []]);
  }
  const { body } = sent({ reasoning_effort: "high" }, between);
  assert.deepEqual(body["thinking"], { type: "adaptive", display: "summarized" });
  for (const other of [adaptive, budget]) {
    const told = sent({ thinking: { type: "between_tools" } }, other);
    assert.deepEqual(["thinking" in told.body, told.dropped], [false, ["thinking"]]);
  }
});

test("models that do not think have the wish dropped and named, and an unknown effort is refused", () => {
  const { body, dropped } = sent({ reasoning_effort: "high", thinking: { type: "enabled" } }, none);
  assert.deepEqual(["thinking" in body, dropped], [false, ["thinking", "reasoning_effort"]]);
  assert.equal(refusedParam({ reasoning_effort: "huge" }), "reasoning_effort");
});

test("Anthropic's own member goes before the effort", () => {
  const { body } = sent(
    { thinking: { type: "enabled", budget_tokens: 3000 }, reasoning_effort: "low", max_tokens: 8000 },
    budget,
  );
  assert.deepEqual([body["thinking"], body["max_tokens"]], [{ type: "enabled", budget_tokens: 3000 }, 8000]);
  const bare = sent({ thinking: { type: "enabled", display: "omitted" }, max_tokens: 32_000 }, budget).body[
    "thinking"
  ];
  assert.deepEqual(bare, { type: "enabled", budget_tokens: 8192, display: "omitted" });
  const mixed = sent(
    { thinking: { type: "enabled", budget_tokens: 3000 }, reasoning_effort: "low" },
    adaptive,
  );
  assert.deepEqual(mixed.body["thinking"], { type: "adaptive", display: "summarized" });
  assert.deepEqual(mixed.body["output_config"], { effort: "low" });
  assert.deepEqual(sent({ thinking: { type: "disabled" } }, adaptive).body["thinking"], { type: "disabled" });
  assert.deepEqual(sent({ thinking: { type: "other" } }, adaptive).dropped, ["thinking"]);
});

test("sampling is left out and named while thinking is on", () => {
  for (const target of [adaptive, budget]) {
    const { body, dropped } = sent({ reasoning_effort: "low", temperature: 0.5 }, target);
    assert.deepEqual(["temperature" in body, dropped], [false, ["temperature"]]);
  }
});

test("thinking gives way to a tool that must be called, and is named", () => {
  const tools = [{ type: "function" as const, function: { name: "look" } }];
  for (const target of [adaptive, budget]) {
    const forced = sent(
      { tools, tool_choice: "required", reasoning_effort: "high", temperature: 0.5 },
      target,
    );
    assert.deepEqual(["thinking" in forced.body, forced.dropped], [false, ["reasoning_effort"]]);
    assert.deepEqual([forced.body["max_tokens"], forced.body["temperature"]], [4096, 0.5]);
    assert.equal("thinking" in sent({ tools, reasoning_effort: "high" }, target).body, true);
  }
});

test("a tool loop whose thinking the client lost goes on without thinking, on models that would refuse it", () => {
  const call = { id: "a", type: "function" as const, function: { name: "look", arguments: "{}" } };
  const loop = (details: ChatMessage["reasoning_details"]): readonly ChatMessage[] => [
    ...hello,
    { role: "assistant", tool_calls: [call], reasoning_details: details },
    { role: "tool", tool_call_id: "a", content: "x" },
  ];
  const signed = [{ type: "reasoning.text", text: "Hm", signature: "c2ln", index: 0 }];
  const lost = sent({ messages: loop(null), reasoning_effort: "low" }, budget);
  assert.deepEqual(["thinking" in lost.body, lost.dropped], [false, ["reasoning_effort"]]);
  assert.ok("thinking" in sent({ messages: loop(signed), reasoning_effort: "low" }, budget).body);
  assert.ok("thinking" in sent({ messages: loop(null), reasoning_effort: "low" }, adaptive).body);
  const answered: readonly ChatMessage[] = [...loop(null), { role: "assistant", content: "So" }, ...hello];
  assert.ok("thinking" in sent({ messages: answered, reasoning_effort: "low" }, budget).body);
});

test("a budget that is not the one asked for is told", () => {
  const thinking = (tokens: number) => ({ type: "enabled", budget_tokens: tokens });
  const told = (tokens: number, target = budget) =>
    sent({ thinking: thinking(tokens), max_tokens: 8000 }, target).changed;
  assert.deepEqual([told(3000), told(4000)], [[], []]);
  for (const tokens of [500, 6000]) assert.deepEqual(told(tokens), ["thinking.budget_tokens"]);
  assert.deepEqual(told(3000, adaptive), ["thinking.budget_tokens"]);
  assert.deepEqual(sent({ reasoning_effort: "high", max_tokens: 8000 }, budget).changed, []);
});
