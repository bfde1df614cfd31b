import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { refusedParam, sent, targetWith } from "./sample-call.test-support.ts";

test("members that Anthropic has no word for are left out and named, known to OpenAI or not", () => {
  const left = {
    seed: 1,
    logprobs: true,
    top_logprobs: 2,
    logit_bias: { "1": 1 },
    frequency_penalty: 1,
    presence_penalty: 1,
    prediction: { type: "content", content: "x" },
    modalities: ["text", "image"],
    audio: { voice: "alloy", format: "mp3" },
    store: true,
    service_tier: "flex",
    metadata: { a: "b" },
    verbosity: "low",
    prompt_cache_key: "k",
    unheard_of: { of: 1 },
  };
  const { body, dropped } = sent({ ...left, user: null, frequency: undefined });
  assert.deepEqual(dropped, Object.keys(left));
  assert.deepEqual(Object.keys(body), ["model", "max_tokens", "messages"]);
});

test("members that OpenAI allows to be null say nothing", () => {
  const names = ["temperature", "top_p", "stop", "n", "tools", "tool_choice", "response_format", "seed"];
  const nulls = Object.fromEntries([...names, "reasoning_effort", "user"].map((name) => [name, null]));
  const { body, dropped } = sent(nulls);
  assert.deepEqual([Object.keys(body), dropped], [["model", "max_tokens", "messages"], []]);
});

test("a provider's own list of members is kept to, but for those without which there is no request", () => {
  const target = targetWith({}, { accepts: new Set(["temperature"]), extraParameters: new Set(["top_k"]) });
  const { body, dropped } = sent({ temperature: 0.5, top_k: 5, stop: "x", max_tokens: 5 }, target);
  assert.deepEqual([body["temperature"], body["top_k"], body["stop_sequences"]], [0.5, 5, undefined]);
  assert.deepEqual(dropped, ["stop"]);
});

test("what says no more than its absence is left out unnamed", () => {
  const usual = { n: 1, logprobs: false, store: false, presence_penalty: 0, service_tier: "auto" };
  const { body, dropped } = sent({ ...usual, modalities: ["text"], seed: null, temperature: 0.5, top_p: 1 });
  assert.deepEqual(dropped, []);
  assert.deepEqual(Object.keys(body), ["model", "max_tokens", "messages", "temperature"]);
  const always = sent({ temperature: 1, top_p: 1 }, targetWith({ sampling: false }));
  assert.deepEqual([Object.keys(always.body), always.dropped], [["model", "max_tokens", "messages"], []]);
});

test("temperature is held to Anthropic's scale, and told when that changes it", () => {
  const temperature = (value: number): unknown => sent({ temperature: value }).body["temperature"];
  assert.deepEqual([0, 0.7, 1, 1.5, 2].map(temperature), [0, 0.7, 1, 1, 1]);
  assert.deepEqual(
    [sent({ temperature: 1.7 }).changed, sent({ temperature: 1 }).changed],
    [["temperature"], []],
  );
});

test("of temperature and top_p only one is sent, and top_k goes on", () => {
  const both = sent({ temperature: 0.5, top_p: 0.9, top_k: 40 });
  assert.deepEqual([both.body["temperature"], both.body["top_p"], both.body["top_k"]], [0.5, undefined, 40]);
  assert.deepEqual(both.dropped, ["top_p"]);
  assert.equal(sent({ top_p: 0.9 }).body["top_p"], 0.9);
});

test("sampling is left out and named for models that refuse it", () => {
  const { body, dropped } = sent({ temperature: 0.5, top_p: 0.5, top_k: 1 }, targetWith({ sampling: false }));
  assert.deepEqual(dropped, ["temperature", "top_p", "top_k"]);
  for (const member of dropped) assert.equal(member in body, false);
});

test("stop becomes stop_sequences, those of white space only are left out and named", () => {
  assert.deepEqual(sent({ stop: "END" }).body["stop_sequences"], ["END"]);
  const { body, dropped } = sent({ stop: ["\n\n", "END", ""] });
  assert.deepEqual([body["stop_sequences"], dropped], [["END"], ["stop"]]);
  const none = sent({ stop: "\n" });
  assert.deepEqual(["stop_sequences" in none.body, none.dropped], [false, ["stop"]]);
  assert.deepEqual(sent({ stop: [] }).dropped, []);
});

test("the provider learns no name of a customer's user, only a stable hash", () => {
  const { body, text } = sent({ user: "ann@example.com" });
  const hash = createHash("sha256").update("ann@example.com").digest("hex").slice(0, 32);
  assert.deepEqual(body["metadata"], { user_id: hash });
  assert.equal(text.includes("ann@"), false);
  const both = sent({ user: "other", safety_identifier: "ann@example.com" }).body;
  assert.deepEqual(both["metadata"], { user_id: hash });
});

test("more than one choice is refused by name", () => {
  assert.equal(refusedParam({ n: 2 }), "n");
  assert.equal(refusedParam({ n: 1 }), "");
});

test("the output limit never goes above the model's", () => {
  assert.equal(sent({}, targetWith({}, { maxOutput: 100 })).body["max_tokens"], 100);
});
