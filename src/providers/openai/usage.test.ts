import assert from "node:assert/strict";
import { test } from "node:test";
import { readUsage } from "./usage.ts";

const inside = { noDeveloperRole: false, reasoningOutsideCompletion: false, strictMessages: false };
const outside = { ...inside, reasoningOutsideCompletion: true };

test("cached and cache-written tokens are part of the prompt and are charged once", () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 9,
    total_tokens: 109,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
  };
  assert.deepEqual(readUsage(usage, inside)?.meters, {
    input_tokens: 10,
    cache_read_tokens: 60,
    cache_write_tokens: 30,
    output_tokens: 9,
  });
});

test("reasoning that a provider leaves out of the completion is charged and shown as output", () => {
  const usage = {
    prompt_tokens: 12,
    completion_tokens: 1,
    total_tokens: 303,
    completion_tokens_details: { reasoning_tokens: 290 },
    cost_in_usd_ticks: 1_000,
  };
  const reported = readUsage(usage, outside);
  assert.deepEqual(reported?.meters, { input_tokens: 12, output_tokens: 291 });
  assert.deepEqual(reported?.shown, {
    prompt_tokens: 12,
    completion_tokens: 291,
    total_tokens: 303,
    completion_tokens_details: { reasoning_tokens: 290 },
  });
  assert.equal(readUsage(usage, inside)?.meters.output_tokens, 1);
});

test("DashScope's name for tokens written to a cache is understood: they are charged as such", () => {
  const prompt_tokens_details = {
    text_tokens: 29_719,
    cache_creation: { ephemeral_5m_input_tokens: 29_713 },
    cache_creation_input_tokens: 29_713,
    cache_type: "ephemeral",
    cached_tokens: 0,
  };
  const reported = readUsage(
    { prompt_tokens: 29_719, completion_tokens: 435, total_tokens: 30_154, prompt_tokens_details },
    inside,
  );
  assert.deepEqual(reported?.meters, { input_tokens: 6, cache_write_tokens: 29_713, output_tokens: 435 });
  assert.deepEqual(reported?.shown["prompt_tokens_details"], {
    cached_tokens: 0,
    cache_write_tokens: 29_713,
    text_tokens: 29_719,
  });
});

test("DeepSeek's names for cached tokens are understood, the standard ones go first", () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 2,
    prompt_cache_hit_tokens: 4,
    prompt_cache_miss_tokens: 6,
  };
  assert.deepEqual(readUsage(usage, inside), {
    meters: { input_tokens: 6, cache_read_tokens: 4, output_tokens: 2 },
    shown: {
      prompt_tokens: 10,
      completion_tokens: 2,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 4 },
    },
  });
  const both = { ...usage, prompt_tokens_details: { cached_tokens: 5 } };
  assert.equal(readUsage(both, inside)?.meters.cache_read_tokens, 5);
});

test("only OpenAI's members are shown: no cost, times or provider's words", () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 2,
    total_tokens: 999,
    cost: 0.1,
    cost_details: { upstream: 1 },
    is_byok: false,
    queue_time: 0.5,
    prompt_tokens_details: { cached_tokens: 0, video_tokens: 3, audio_tokens: 1 },
    completion_tokens_details: null,
  };
  assert.deepEqual(readUsage(usage, inside)?.shown, {
    prompt_tokens: 10,
    completion_tokens: 2,
    total_tokens: 12,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 1 },
  });
});

test("a number that cannot be true makes the usage unknown, never zero", () => {
  const good = { prompt_tokens: 10, completion_tokens: 2 };
  assert.notEqual(readUsage(good, inside), undefined);
  for (const bad of [-1, 1.5, "5", Number.NaN, Number.POSITIVE_INFINITY, 1e9 + 1, null, undefined, [], {}]) {
    assert.equal(
      readUsage({ ...good, prompt_tokens: bad }, inside),
      undefined,
      `prompt ${JSON.stringify(bad)}`,
    );
    assert.equal(
      readUsage({ ...good, completion_tokens: bad }, inside),
      undefined,
      `completion ${JSON.stringify(bad)}`,
    );
    if (bad === null || bad === undefined) continue;
    assert.equal(readUsage({ ...good, prompt_tokens_details: { cached_tokens: bad } }, inside), undefined);
    assert.equal(
      readUsage({ ...good, prompt_tokens_details: { cache_write_tokens: bad } }, inside),
      undefined,
    );
    assert.equal(
      readUsage({ ...good, completion_tokens_details: { reasoning_tokens: bad } }, outside),
      undefined,
    );
  }
  const impossible = [
    { ...good, prompt_tokens_details: { cached_tokens: 11 } },
    { ...good, prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } },
    { ...good, prompt_tokens_details: 5 },
    { prompt_tokens: 0, completion_tokens: 0 },
    {},
    [],
    null,
    undefined,
    "x",
  ];
  for (const usage of impossible) assert.equal(readUsage(usage, inside), undefined, JSON.stringify(usage));
});
