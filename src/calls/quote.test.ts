import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { PDFDocument } from "pdf-lib";
import type { ChatRequest, ContentPart } from "../core/chat.ts";
import type { ChatModel } from "../core/model.ts";
import { costOf } from "../core/price.ts";
import { usualAttachmentTokens } from "./metering.ts";
import {
  affordableTokens,
  boundsFromCount,
  boundsOf,
  leastUsefulQuote,
  maxTokensOf,
  quote,
} from "./quote.ts";
import { callOf, model, offer, price } from "./sample-call.test-support.ts";
import { promptTexts, templateTokens } from "./token-counter.ts";

const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.lorem({ maxCount: 60 }),
);
const requests = fc.record({
  model: fc.constant("m"),
  messages: fc.array(
    fc.record({ role: fc.constantFrom("user" as const, "system" as const), content: texts }),
    { minLength: 1, maxLength: 6 },
  ),
  max_tokens: fc.option(fc.integer({ min: 1, max: 100_000 })),
  n: fc.option(fc.integer({ min: 1, max: 8 })),
});

/** Smaller than most of these prompts: a provider may take more than the catalog says. */
const narrow: ChatModel = { ...model, contextWindow: 50 };

test("C-14 a quote is never below the cost of anything the call may use", () => {
  fc.assert(
    fc.property(requests, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2), (request, share, meter) => {
      const call = callOf(request);
      const prompt =
        promptTexts(call).reduce((sum, text) => sum + countTokens(text), 0) + templateTokens(call);
      const output = Math.floor(call.maxTokens * (request.n ?? 1) * share);
      const inputMeter =
        (["input_tokens", "cache_read_tokens", "cache_write_tokens"] as const)[meter] ?? "input_tokens";
      const cost = costOf(price, { [inputMeter]: prompt, output_tokens: output }, "0.05");
      assert.ok(quote([offer], boundsOf(call, narrow), "0.05") >= cost);
      assert.ok(quote([offer], boundsFromCount(call, narrow, prompt), "0.05") >= cost);
    }),
  );
});

test("what is affordable costs no more than is held, one token more would, and it is useful in each choice", () => {
  fc.assert(
    fc.property(requests, fc.bigInt({ min: 0n, max: 3_000_000n }), (request, extra) => {
      const call = callOf(request);
      const bounds = boundsFromCount(call, model, 20);
      const held = leastUsefulQuote([offer], bounds, "0.05") + extra;
      const tokens = affordableTokens([offer], bounds, { held, creditUsd: "0.05" });
      const choices = request.n ?? 1;
      assert.ok(
        Math.floor(tokens / choices) >= Math.min(64, call.maxTokens),
        "a useful answer in each choice",
      );
      assert.ok(quote([offer], { ...bounds, outputTokens: tokens }, "0.05") <= held);
      if (tokens < bounds.outputTokens)
        assert.ok(quote([offer], { ...bounds, outputTokens: tokens + 1 }, "0.05") > held);
    }),
  );
});

test("an image costs its allowance, not the length of its data", () => {
  const image = (url: string): ChatRequest => ({
    model: "m",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
  });
  const small = boundsOf(callOf(image("https://example.com/a.png")), model).inputTokens;
  const large = boundsOf(callOf(image(`data:image/png;base64,${"A".repeat(1_000_000)}`)), model).inputTokens;
  assert.equal(small, large);
  assert.ok(small > model.imageTokens);
});

const withFile = (bytes: Uint8Array | string, type = "application/pdf"): ChatRequest => {
  const data = `data:${type};base64,${Buffer.from(bytes).toString("base64")}`;
  const file = { type: "file", file: { file_data: data, filename: "a" } } as const;
  return { model: "m", messages: [{ role: "user", content: [{ type: "text", text: "Sum up." }, file] }] };
};

test("a PDF is held for by its pages, however small it is, and a small one for no more than its pages", async () => {
  for (const pages of [1, 10, 300]) {
    const document = await PDFDocument.create();
    for (let page = 0; page < pages; page += 1) document.addPage();
    for (const useObjectStreams of [true, false]) {
      const call = callOf(withFile(await document.save({ useObjectStreams })));
      for (const { inputTokens } of [boundsOf(call, model), boundsFromCount(call, model, 20)]) {
        // The most text that Anthropic names for a page, and the image of it.
        assert.ok(inputTokens >= pages * (3_000 + 1_600), `${inputTokens} for ${pages} pages`);
        assert.ok(inputTokens <= pages * 5_000 + 5_000, `${inputTokens} for ${pages} pages`);
      }
    }
  }
});

test("a PDF is held for by its pages also without the head of a data URL, or with another type", async () => {
  const document = await PDFDocument.create();
  for (let page = 0; page < 50; page += 1) document.addPage();
  const base64 = Buffer.from(await document.save()).toString("base64");
  const percent = Buffer.from(base64, "base64").toString("hex").replaceAll(/../g, "%$&");
  for (const data of [
    base64,
    `data:application/octet-stream;base64,${base64}`,
    `data:application/PDF ; name=a.pdf;base64,${base64}`,
    `data:application/pdf,${percent}`,
  ]) {
    const content = [{ type: "file", file: { file_data: data } }] as const;
    const call = callOf({ model: "m", messages: [{ role: "user", content }] });
    assert.ok(boundsOf(call, model).inputTokens >= 50 * 4_600, data.slice(0, 50));
  }
});

test("a document, a film or sound in the place of a picture is held for as the file that it is", async () => {
  const document = await PDFDocument.create();
  for (let page = 0; page < 50; page += 1) document.addPage();
  const megabyte = "A".repeat(1_000_000);
  for (const [type, base64, least] of [
    ["application/pdf", Buffer.from(await document.save()).toString("base64"), 50 * 4_600],
    ["video/mp4", megabyte, 100_000],
    ["audio/wav", megabyte, 100_000],
  ] as const) {
    const url = `data:${type};base64,${base64}`;
    const tokensOf = (part: ContentPart): readonly number[] => {
      const call = callOf({ model: "m", messages: [{ role: "user", content: [part] }] });
      return [boundsOf(call, model), boundsFromCount(call, model, 20)].map(({ inputTokens }) => inputTokens);
    };
    const asPicture = tokensOf({ type: "image_url", image_url: { url } });
    const asFile = tokensOf({ type: "file", file: { file_data: url } });
    for (const [at, tokens] of asPicture.entries())
      assert.ok(
        tokens >= least && Math.abs(tokens - (asFile[at] ?? 0)) < 50,
        `${type}: ${String(asPicture)} ${String(asFile)}`,
      );
  }
});

test("a file of text is held for as other text is: by its bytes, and by its tokens where the balance is small", () => {
  const digits = Array.from({ length: 6_000 }, (_, at) => (at * 7_919) % 10).join(" ");
  for (const text of [
    digits,
    "我们今天讨论的是人工智能网关的设计与实现方法。".repeat(300),
    "Ünï ".repeat(2_000),
  ]) {
    const call = callOf(withFile(text, "text/plain;charset=utf-8"));
    const tokens = countTokens(text);
    const counted = promptTexts(call).reduce((sum, prompt) => sum + countTokens(prompt), 0);
    assert.ok(boundsOf(call, model).inputTokens >= tokens);
    assert.ok(boundsOf(call, model).inputTokens <= Buffer.byteLength(text) + 500);
    assert.ok(boundsFromCount(call, model, counted).inputTokens >= tokens);
    assert.ok(boundsFromCount(call, model, counted).inputTokens <= 1.2 * tokens + 100);
  }
});

test("a file behind an address may be as long as the model takes, and is a usual one where nobody tells", () => {
  const content = [{ type: "file", file: { file_data: "https://example.com/a.pdf" } }] as const;
  const call = callOf({ model: "m", messages: [{ role: "user", content }] });
  const { inputTokens } = boundsOf(call, model);
  assert.ok(inputTokens >= model.contextWindow && inputTokens < model.contextWindow + 500);
  assert.ok(boundsFromCount(call, model, 10).inputTokens >= model.contextWindow);
  assert.ok(usualAttachmentTokens(call, model) < model.imageTokens / 2);
});

test("an absent limit is 4096 tokens, and no limit exceeds the model", () => {
  const messages = [{ role: "user", content: "hi" }] as const;
  assert.equal(maxTokensOf({ model: "m", messages }, model), 4096);
  assert.equal(maxTokensOf({ model: "m", messages, max_tokens: 1_000_000 }, model), model.maxOutput);
  assert.equal(maxTokensOf({ model: "m", messages, max_tokens: 10, max_completion_tokens: 20 }, model), 20);
});
