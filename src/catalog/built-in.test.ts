import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { costOf, nanoUsd, rateOf } from "../core/price.ts";
import type { Usage } from "../core/usage.ts";
import { loadCatalog } from "./load.ts";

const folder = join(import.meta.dirname, "..", "..", "catalog");
const catalog = loadCatalog({ directories: [folder] });
const chatModels = catalog.models.filter((model) => model.kind === "chat");

/** The model and alias of a name that must be there. */
function found(name: string) {
  const answer = catalog.find(name);
  assert.ok(answer !== undefined, name);
  return answer;
}

function foundChat(name: string) {
  const { model } = found(name);
  assert.ok(model.kind === "chat", name);
  return model;
}

const tokens: Usage = {
  input_tokens: 1000,
  cache_read_tokens: 1000,
  cache_write_tokens: 1000,
  output_tokens: 1000,
};

function rowsOf(file: string): readonly unknown[] {
  const { rows } = JSON.parse(readFileSync(file, "utf8")) as { readonly rows: readonly unknown[] };
  return rows;
}

test("every built-in file is loaded", () => {
  const files = (part: string) =>
    readdirSync(join(folder, part), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".json"),
    );
  const rows = files("families").flatMap((name) => rowsOf(join(folder, "families", name)));
  assert.equal(catalog.models.length, files("models").length + rows.length);
  assert.equal(catalog.providers.length, files("providers").length);
  assert.ok(chatModels.length >= 35, `${chatModels.length} chat models`);
});

test("the documented chat models resolve as documented, a successor visibly", () => {
  const documented = [
    ["claude-4-5-sonnet", "anthropic/claude-sonnet-4-5", "same"],
    ["claude-3-5-haiku", "anthropic/claude-haiku-4-5", "successor"],
    ["gpt-5", "openai/gpt-5", "same"],
    ["gpt-4-turbo", "openai/gpt-4o", "successor"],
    ["gpt-4o", "openai/gpt-4o", "same"],
    ["gpt-4o-mini", "openai/gpt-4o-mini", "same"],
    ["gemini-2.5-flash", "google/gemini-2.5-flash", "same"],
    ["gemini-2.0-pro", "google/gemini-2.5-pro", "successor"],
    ["deepseek/deepseek-v3", "openrouter/deepseek/deepseek-chat", "same"],
  ] as const;
  for (const [name, id, kind] of documented) {
    const { model, alias } = found(name);
    assert.equal(model.id, id, name);
    assert.equal(alias?.kind, kind, name);
    assert.equal(alias?.listed, true, name);
    if (kind === "successor") assert.match(alias?.note ?? "", /answers/, name);
  }
  const qwen = found("qwen/qwen-max");
  assert.equal(qwen.model.id, "qwen/qwen-max");
  assert.equal(qwen.alias, undefined);
});

test("the documented runs are known as runs with their documented prices", () => {
  const documented = [
    ["flux-1.1-pro", "image", { images: 1 }, 2_000_000n],
    ["google/veo-3.1", "video", { video_seconds: 1 }, 10_400_000n],
    ["firecrawl/scrape", "scraper", { requests: 1 }, 250_000n],
  ] as const;
  for (const [name, category, usage, cost] of documented) {
    const { model } = found(name);
    assert.ok(model.kind === "run", name);
    assert.equal(model.category, category, name);
    assert.equal(costOf(model.retail, usage, "0.05"), cost, name);
  }
});

test("gpt-4o-mini is offered by OpenAI first and by OpenRouter second, with room for an image or a page in the hold", () => {
  const model = foundChat("gpt-4o-mini");
  assert.deepEqual(
    model.offers.map((offer) => [offer.provider.id, offer.upstreamModel]),
    [
      ["openai", "gpt-4o-mini"],
      ["openrouter", "openai/gpt-4o-mini"],
    ],
  );
  // 48,169 is OpenAI's count for the widest image: 2,833 and 8 tiles of 5,667.
  assert.ok(model.imageTokens >= 48_169);
  // A page is an image of 4 tiles, and up to 3,000 tokens of text.
  assert.ok(model.pdfPageTokens >= 2_833 + 4 * 5_667 + 3_000);
});

test("every chat offer has a price above zero for every token meter, short and long", () => {
  for (const model of chatModels) {
    assert.ok(model.offers.length > 0, model.id);
    for (const offer of model.offers) {
      // A model on the operator's own machine costs nobody anything.
      if (offer.provider.keyOptional === true) continue;
      for (const length of [1000, model.contextWindow]) {
        for (const meter of [
          "input_tokens",
          "cache_read_tokens",
          "cache_write_tokens",
          "output_tokens",
        ] as const) {
          const usage =
            meter === "output_tokens" ? { input_tokens: length, [meter]: length } : { [meter]: length };
          const rate = rateOf(offer.price, meter, usage);
          assert.ok(
            rate !== undefined && nanoUsd(rate.usd) > 0n,
            `${model.id} ${offer.provider.id} ${meter}`,
          );
          assert.equal(rate.per, 1_000_000, model.id);
        }
      }
    }
  }
});

test("a cached read never costs more than fresh input, and output never less than half of it", () => {
  for (const model of chatModels) {
    for (const offer of model.offers) {
      const usd = (meter: "input_tokens" | "cache_read_tokens" | "output_tokens") =>
        nanoUsd(rateOf(offer.price, meter, tokens)?.usd ?? "0");
      assert.ok(usd("cache_read_tokens") <= usd("input_tokens"), `${model.id} ${offer.provider.id}`);
      assert.ok(usd("output_tokens") * 2n >= usd("input_tokens"), `${model.id} ${offer.provider.id}`);
    }
  }
});

test("above the threshold every token of a long call costs the higher price", () => {
  const price = found("gemini-2.5-pro").model.offers[0]?.price ?? [];
  assert.equal(costOf(price, { input_tokens: 200_000, output_tokens: 1000 }, "0.05"), 5_200_000n);
  assert.equal(costOf(price, { input_tokens: 200_001, output_tokens: 1000 }, "0.05"), 10_300_050n);
});

test("a replacement is a model with no end in sight", () => {
  for (const model of catalog.models) {
    const replacement = model.lifecycle.replacement;
    if (replacement === undefined) continue;
    assert.equal(model.lifecycle.state, "deprecated", model.id);
    assert.equal(found(replacement).model.lifecycle.state, "active", model.id);
  }
});

test("common spellings of one model find it", () => {
  const spellings = {
    "anthropic/claude-sonnet-4-5": [
      "claude-sonnet-4-5",
      "claude-sonnet-4.5",
      "claude-4.5-sonnet",
      "bedrock/claude-4-5-sonnet",
      "anthropic/claude-sonnet-4.5",
      "claude-sonnet-4-5-20250929",
      "Anthropic/Claude-Sonnet-4-5",
    ],
    "anthropic/claude-opus-4-6": ["bedrock/claude-4-6-opus", "claude-4-6-opus", "claude-opus-4.6"],
    "google/gemini-2.5-flash": ["gemini/gemini-2.5-flash", "vertex/gemini-2.5-flash"],
    "openai/gpt-5": ["GPT-5", "gpt-5-2025-08-07", "openrouter/openai/gpt-5"],
    "openrouter/deepseek/deepseek-chat": ["deepseek-v3", "deepseek/deepseek-chat"],
  };
  for (const [id, names] of Object.entries(spellings)) {
    for (const name of names) assert.equal(found(name).model.id, id, name);
  }
});

test("Claude models say how they think and whether they take sampling parameters", () => {
  const told = (name: string) => {
    const model = foundChat(name);
    return [model.capabilities.thinking, model.capabilities.sampling, model.maxOutput];
  };
  assert.deepEqual(told("claude-haiku-4-5"), ["budget", true, 64_000]);
  assert.deepEqual(told("claude-sonnet-4-6"), ["adaptive", true, 128_000]);
  assert.deepEqual(told("claude-opus-4-7"), ["adaptive", false, 128_000]);
  assert.deepEqual(told("claude-sonnet-5-5"), ["between_tools", false, 128_000]);
  for (const name of ["claude-opus-5-5", "claude-fable-5-1", "claude-fable-5-2"])
    assert.deepEqual(told(name), ["always", false, 128_000], name);
});

test("OpenAI's models that reason say that they refuse stop sequences, and no other model does", () => {
  const refusing = (member: string) =>
    chatModels.filter(({ capabilities }) => capabilities.refuses.includes(member)).map(({ id }) => id);
  const reasoning = chatModels.filter(
    ({ id, capabilities }) => id.startsWith("openai/") && capabilities.reasoning,
  );
  assert.ok(reasoning.length > 10);
  assert.deepEqual(
    refusing("stop"),
    reasoning.map(({ id }) => id),
  );
  assert.deepEqual(refusing("prediction"), refusing("stop"));
  assert.deepEqual(refusing("parallel_tool_calls"), ["openai/o3"]);
  assert.deepEqual(refusing("verbosity").toSorted(), [
    "openai/gpt-4.1",
    "openai/gpt-4.1-mini",
    "openai/gpt-4o",
    "openai/gpt-4o-mini",
    "openai/o3",
  ]);
});

test("Claude Sonnet 4.5 takes 200,000 tokens: its trial of a million is over", () => {
  assert.equal(foundChat("claude-sonnet-4-5").contextWindow, 200_000);
});

test("the Claude models that refuse a forced tool, and no other, say so", () => {
  const unforced = chatModels.filter(({ capabilities }) => !capabilities.forcedTools);
  assert.deepEqual(
    unforced.map(({ id }) => id).toSorted(),
    ["fable-5-1", "fable-5-2", "opus-5-5", "sonnet-5-5"].map((name) => `anthropic/claude-${name}`),
  );
});

test("the Gemini models whose sound costs more than their text, and no other, say that they take none", () => {
  const deaf = chatModels.filter(({ capabilities }) => !capabilities.audio);
  // https://ai.google.dev/gemini-api/docs/pricing
  assert.deepEqual(
    deaf.map(({ id }) => id).toSorted(),
    ["2.5-flash", "2.5-flash-lite", "3-flash-preview", "3.1-flash-lite"].map(
      (name) => `google/gemini-${name}`,
    ),
  );
});

test("the output limit of Alibaba's models does not count their thinking, and the newest think unasked", () => {
  const offered = chatModels.filter(({ offers }) => offers.some(({ provider }) => provider.id === "qwen"));
  for (const { id, offers, capabilities } of offered) {
    assert.equal(offers[0]?.provider.quirks.thinkingOutsideLimit, true, id);
    if (id.startsWith("qwen/qwen3.7")) assert.equal(capabilities.thinking, "adaptive", id);
  }
});

test("of Alibaba's models a cached token costs at least a fifth of a fresh one, and one that is written five quarters", () => {
  for (const model of chatModels) {
    const price = model.offers.find(({ provider }) => provider.id === "qwen")?.price;
    if (price === undefined) continue;
    for (const input_tokens of [1, 32_001, 128_001, 256_001]) {
      const nano = (meter: "input_tokens" | "cache_read_tokens" | "cache_write_tokens") =>
        nanoUsd(rateOf(price, meter, { input_tokens })?.usd ?? "0");
      const fresh = nano("input_tokens");
      assert.ok(nano("cache_read_tokens") * 5n >= fresh, `${model.id} ${input_tokens}`);
      if (model.id !== "qwen/qwen-max")
        assert.ok(nano("cache_write_tokens") * 4n >= fresh * 5n, `${model.id} ${input_tokens}`);
    }
  }
});

test("OpenRouter serves last where the maker serves too", () => {
  for (const model of chatModels) {
    const resold = model.offers.findIndex((offer) => offer.provider.id === "openrouter");
    assert.ok(resold === -1 || resold === model.offers.length - 1, model.id);
  }
});

test("no provider that charges is sent a member by which something beside tokens is asked for: no rate prices it", () => {
  const dear = [
    ...["audio", "modalities", "service_tier", "web_search_options", "search_parameters", "enable_search"],
    ...["plugins", "models", "provider", "route", "transforms", "extra_body", "background"],
  ];
  const asked = new Set(
    chatModels
      .flatMap(({ offers }) => offers)
      .filter(({ price }) => price.some(({ usd }) => nanoUsd(usd) > 0n))
      .map(({ provider }) => provider),
  );
  assert.ok(asked.size >= 5, String(asked.size));
  for (const { id, wire, accepts, extraParameters } of asked) {
    // Anthropic's requests are built member by member, whatever is accepted.
    assert.ok(accepts !== undefined || wire === "anthropic-messages", id);
    const taken = [...(accepts ?? []), ...extraParameters].filter((member) => dear.includes(member));
    assert.deepEqual(taken, [], id);
  }
});

test("loading takes less than a third of a millisecond a model once the machine has a moment", () => {
  const durationsMs = Array.from({ length: 8 }, () => {
    const start = performance.now();
    loadCatalog({ directories: [folder] });
    return performance.now() - start;
  });
  assert.ok(Math.min(...durationsMs) < catalog.models.length / 3, durationsMs.join(", "));
});
