import assert from "node:assert/strict";
import { test } from "node:test";
import { directivesOf, withoutDirectives } from "./directives.ts";

const nothing = { headers: {}, model: "gpt-5", prompt: "Hello" };

test("nothing is ordered by an ordinary request", () => {
  assert.deepEqual(directivesOf(nothing), {
    fault: undefined,
    paceMs: 0,
    delayMs: 0,
    lengthTokens: undefined,
  });
  assert.equal(
    directivesOf({ ...nothing, prompt: "[sandbox:fault-none] [sandbox:pace-fast]" }).fault,
    undefined,
  );
  assert.equal(directivesOf({ ...nothing, model: "gpt-fault-tolerant" }).fault, undefined);
});

test("headers go before the model's name, and that before the prompt", () => {
  const prompt = "[sandbox:fault-cut]";
  assert.equal(directivesOf({ ...nothing, prompt }).fault, "cut");
  assert.equal(directivesOf({ ...nothing, prompt, model: "m-fault-500" }).fault, "500");
  const headers = { "x-sandbox-fault": "empty" };
  assert.equal(directivesOf({ headers, prompt, model: "m-fault-500" }).fault, "empty");
});

test("several orders in one prompt all count, within bounds", () => {
  const prompt = "[sandbox:pace-50] Hi [sandbox:tokens-999999] [sandbox:delay-20][sandbox:fault-slow]";
  assert.deepEqual(directivesOf({ ...nothing, prompt }), {
    fault: "slow",
    paceMs: 50,
    delayMs: 20,
    lengthTokens: 32_768,
  });
});

test("a slow answer without a delay takes five seconds", () => {
  assert.equal(directivesOf({ ...nothing, model: "m-fault-slow" }).delayMs, 5_000);
});

test("a model reads the prompt without the orders", () => {
  assert.equal(withoutDirectives("Say [sandbox:fault-cut] hello"), "Say hello");
});
