import assert from "node:assert/strict";
import { test } from "node:test";
import { patienceFor } from "./patience.ts";

const plain = { capabilities: { reasoning: false } };
const reasoning = { capabilities: { reasoning: true } };

const usual = { firstByteMs: 60_000, idleMs: 50_000, longestFirstByteMs: 600_000, longestIdleMs: 500_000 };

test("a whole answer may take as long as its tokens need, ten minutes at most", () => {
  const whole = (maxTokens: number) => patienceFor({ stream: false, maxTokens }, plain, usual);
  assert.deepEqual(whole(300), { firstByteMs: 70_000 });
  assert.deepEqual(whole(6_000), { firstByteMs: 260_000 });
  assert.deepEqual(whole(128_000), { firstByteMs: 600_000 });
});

test("a stream has the usual limits, unless its model thinks before it speaks or in between", () => {
  const stream = { stream: true, maxTokens: 6_000 };
  assert.equal(patienceFor(stream, plain, usual), undefined);
  assert.deepEqual(patienceFor(stream, reasoning, usual), { firstByteMs: 260_000, idleMs: 250_000 });
});
