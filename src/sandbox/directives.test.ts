import assert from "node:assert/strict";
import { test } from "node:test";
import { directivesOf, jobOrdersOf, withoutDirectives } from "./directives.ts";

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

test("any status from 400 to 599 can be ordered, and nothing else that looks like one", () => {
  for (const status of ["400", "418", "599"]) {
    assert.equal(directivesOf({ ...nothing, prompt: `[sandbox:fault-${status}]` }).fault, status);
  }
  for (const word of ["200", "399", "600", "4000", "nonsense"]) {
    assert.equal(directivesOf({ ...nothing, prompt: `[sandbox:fault-${word}]` }).fault, undefined);
  }
});

test("nothing is ordered of a job by an ordinary request", () => {
  assert.deepEqual(jobOrdersOf(nothing), {
    end: "done",
    workMs: undefined,
    unknownPolls: 0,
    pollStatus: undefined,
    fileMs: undefined,
  });
});

test("all orders of a job count beside each other, headers before texts, within bounds", () => {
  const prompt =
    "[sandbox:job-fail][sandbox:job-ms-2000] A fox [sandbox:unknown-3][sandbox:poll-503][sandbox:file-ms-500]";
  const ordered = { end: "fail", workMs: 2_000, unknownPolls: 3, pollStatus: 503, fileMs: 500 };
  assert.deepEqual(jobOrdersOf({ headers: {}, prompt }), ordered);
  const headers = { "x-sandbox-job": "never", "x-sandbox-job-ms": "999999999", "x-sandbox-unknown": "9999" };
  assert.deepEqual(jobOrdersOf({ headers, prompt }), {
    ...ordered,
    end: "never",
    workMs: 3_600_000,
    unknownPolls: 1_000,
  });
  assert.equal(withoutDirectives(prompt), "A fox");
});
