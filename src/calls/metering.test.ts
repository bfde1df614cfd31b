import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "gpt-tokenizer";
import type { ContentPart } from "../core/chat.ts";
import { costOf } from "../core/price.ts";
import { attachments } from "./attachments.ts";
import { leastPromptTokens, usualAttachmentTokens, worthSoFar } from "./metering.ts";
import { callOf, model, offer, price } from "./sample-call.test-support.ts";

const data = "A".repeat(2_000_000);
const attached: readonly ContentPart[] = [
  { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } },
  { type: "file", file: { file_data: `data:application/pdf;base64,${data}`, filename: "a.pdf" } },
  { type: "input_audio", input_audio: { data, format: "wav" } },
];

test("what a stream is noted to be worth is not above its cost, whatever is attached to its prompt", () => {
  const question = { type: "text", text: "What is this? ".repeat(20) } as const;
  for (const part of attached) {
    const call = callOf({ model: "m", messages: [{ role: "user", content: [question, part] }] });
    const soFar = { promptTokens: leastPromptTokens(call), outputLength: 32 };
    const worth = worthSoFar([offer], soFar, "0.05");
    // The question alone has 81 tokens.
    assert.ok(worth > 0n, part.type);
    assert.ok(
      worth <= costOf(price, { input_tokens: 81, output_tokens: 2 }, "0.05"),
      `${part.type}: ${worth}`,
    );
  }
});

test("what a stream is noted to be worth is not above its cost, however long its words are", () => {
  const words = "internationalization incomprehensibilities counterrevolutionaries ".repeat(100);
  // As o200k counts them; English prose has about as many for six characters each.
  const tokens = encode(words).length;
  const soFar = { promptTokens: 0, outputLength: words.length };
  assert.ok(worthSoFar([offer], soFar, "0.05") <= costOf(price, { output_tokens: tokens }, "0.05"));
});

test("what is attached is never free where the provider tells no usage, and costs less than was held for it", () => {
  for (const part of attached) {
    const call = callOf({ model: "m", messages: [{ role: "user", content: [part] }] });
    const usual = usualAttachmentTokens(call, model);
    assert.ok(usual >= 500, `${part.type}: ${usual}`);
    assert.ok(usual <= attachments(call.request.messages, model).tokens / 2, `${part.type}: ${usual}`);
  }
});
