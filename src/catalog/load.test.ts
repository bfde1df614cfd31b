import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { costOf } from "../core/price.ts";
import { loadCatalog } from "./load.ts";

const builtIn = join(import.meta.dirname, "..", "..", "catalog");
const folders: string[] = [];

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of catalog files; strings are written as they are. */
function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), "catalog-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const house = { id: "house", name: "House", wire: "openai-chat", base_url: "http://127.0.0.1:9/v1/" };
const price = [
  { meter: "input_tokens", per: 1_000_000, usd: "0.125" },
  { meter: "cache_read_tokens", per: 1_000_000, usd: "0.0125" },
  { meter: "output_tokens", per: 1_000_000, usd: "0.5" },
];
const chat = {
  id: "m-chat",
  context_window: 8000,
  max_output: 1000,
  offers: [{ provider: "house", upstream_model: "chat-1", price }],
};

test("an operator's folder adds a provider and a model with no more than the necessary fields", () => {
  const own = folderOf({ "providers/house.json": house, "models/any/depth/m-chat.json": chat });
  const catalog = loadCatalog({ directories: [builtIn, own] });
  const found = catalog.find("M-Chat");
  assert.equal(found?.alias, undefined);
  assert.equal(found?.model.id, "m-chat");
  assert.equal(found?.model.name, "m-chat");
  assert.equal(found?.model.kind, "chat");
  assert.equal(found?.model.category, "chat");
  assert.equal(found?.model.contextWindow, 8000);
  const offer = found?.model.offers[0];
  assert.equal(offer?.provider.baseUrl, "http://127.0.0.1:9/v1");
  assert.equal(offer?.upstreamModel, "chat-1");
  assert.equal(offer?.maxTokensField, "max_tokens");
  assert.ok(catalog.providers.some((provider) => provider.id === "house"));
  assert.ok(catalog.find("gpt-4o") !== undefined);
});

test("a cache meter without a rate costs what fresh input costs, long context included, and a given rate stays", () => {
  const long = { meter: "input_tokens", per: 1_000_000, usd: "0.25", when: { input_tokens_gt: 100 } };
  const model = {
    ...chat,
    offers: [{ provider: "house", upstream_model: "chat-1", price: [...price, long] }],
  };
  const catalog = loadCatalog({
    directories: [folderOf({ "providers/house.json": house, "models/m.json": model })],
  });
  const rates = catalog.find("m-chat")?.model.offers[0]?.price ?? [];
  const creditUsd = "0.05";
  assert.equal(
    costOf(rates, { cache_write_tokens: 40 }, creditUsd),
    costOf(rates, { input_tokens: 40 }, creditUsd),
  );
  assert.equal(
    costOf(rates, { cache_write_tokens: 101 }, creditUsd),
    costOf(rates, { input_tokens: 101 }, creditUsd),
  );
  assert.equal(costOf(rates, { cache_write_tokens: 101 }, creditUsd), 505n);
  assert.equal(costOf(rates, { cache_read_tokens: 40 }, creditUsd), 10n);
});

test("an operator's file replaces the built-in model and provider of the same id, whatever its case", () => {
  const own = folderOf({
    "providers/openai.json": { ...house, id: "openai" },
    "models/mini.json": { ...chat, id: "OpenAI/gpt-4o-mini", aliases: [{ id: "gpt-4o-mini", kind: "same" }] },
  });
  const catalog = loadCatalog({ directories: [builtIn, folderOf({ "providers/house.json": house }), own] });
  const found = catalog.find("gpt-4o-mini");
  assert.deepEqual(
    found?.model.offers.map((offer) => offer.provider.id),
    ["house"],
  );
  assert.equal(catalog.find("gpt-4o")?.model.offers[0]?.provider.baseUrl, "http://127.0.0.1:9/v1");
  assert.equal(catalog.find("gpt-3.5-turbo"), undefined);
});

test("one error names every faulty file with line, field and fault", () => {
  const rate = { meter: "input_tokens", per: 1_000_000, usd: "0.1234567891" };
  const own = folderOf({
    "providers/odd.json": { ...house, id: "odd", wire: "carrier-pigeon" },
    "providers/house.json": { ...house, base_url: "ftp://house", colour: "red" },
    "models/broken.json": "{ not json",
    "models/decimals.json": { ...chat, id: "decimals", offers: [{ ...chat.offers[0], price: [rate] }] },
    "models/unpriced.json": {
      ...chat,
      id: "unpriced",
      offers: [{ ...chat.offers[0], price: price.slice(0, 1) }],
    },
    "models/nowhere.json": { ...chat, id: "nowhere", offers: [{ ...chat.offers[0], provider: "atlantis" }] },
    "models/taken.json": { ...chat, id: "taken", aliases: [{ id: "GPT-4o", kind: "same" }] },
    "models/silent.json": { ...chat, id: "silent", aliases: [{ id: "gone", kind: "successor" }] },
    "models/gone.json": { ...chat, id: "old", lifecycle: { state: "retired", replacement: "nothing" } },
    "models/ending.json": { ...chat, id: "ending", lifecycle: { state: "active", shutdown: "2027-01-01" } },
    "models/offerless.json": { ...chat, id: "offerless", offers: [] },
    "models/free-run.json": { id: "free-run", kind: "run", offers: [] },
    "models/limitless.json": { ...chat, id: "limitless", context_window: undefined },
    "models/twice-a.json": { ...chat, id: "twice" },
    "models/twice-b.json": { ...chat, id: "Twice" },
  });
  const expected = [
    ["providers/odd.json", "wire", "no such wire: carrier-pigeon"],
    ["providers/house.json", "base_url", "http"],
    ["providers/house.json", "", "colour"],
    ["models/broken.json", "", "JSON"],
    ["models/decimals.json", "offers[0].price[0].usd", "9 decimals"],
    ["models/unpriced.json", "offers[0].price", "output_tokens"],
    ["models/nowhere.json", "offers[0].provider", "atlantis"],
    ["models/taken.json", "aliases[0].id", "openai/gpt-4o.json"],
    ["models/silent.json", "aliases[0].note", "successor"],
    ["models/gone.json", "lifecycle.replacement", "nothing"],
    ["models/ending.json", "lifecycle.state", "shutdown"],
    ["models/offerless.json", "offers", "at least one"],
    ["models/free-run.json", "retail", "price"],
    ["models/limitless.json", "context_window", "limits"],
    ["models/twice-b.json", "id", "twice-a.json"],
    ["missing", "", "no such directory"],
  ] as const;
  assert.throws(
    () => loadCatalog({ directories: [builtIn, own, join(own, "missing")] }),
    (error: Error) => {
      const lines = error.message.split("\n");
      for (const [file, path, fault] of expected) {
        const start = `  ${join(own, file)}${file === "missing" ? "" : ":1"}: ${path === "" ? "" : `${path}: `}`;
        const line = lines.find((text) => text.startsWith(start) && text.includes(fault));
        assert.ok(line !== undefined, `no line "${start}…${fault}…" in:\n${error.message}`);
      }
      return true;
    },
  );
});

test("a wire of the registry that is handed in is known, and no other", () => {
  const own = folderOf({ "providers/odd.json": { ...house, id: "odd", wire: "gemini" } });
  assert.equal(loadCatalog({ directories: [own], wires: ["gemini"] }).providers[0]?.wire, "gemini");
  assert.throws(() => loadCatalog({ directories: [own], wires: ["openai-chat"] }), /no such wire: gemini/);
});

test("the version is the same for the same data anywhere and another for another price", () => {
  const files = { "providers/house.json": house, "models/m.json": chat };
  const dearer = {
    ...chat,
    offers: [{ ...chat.offers[0], price: [...price.slice(0, 2), { ...price[2], usd: "0.6" }] }],
  };
  const version = loadCatalog({ directories: [folderOf(files)] }).version;
  assert.match(version, /^[0-9a-f]{16}$/);
  assert.equal(loadCatalog({ directories: [folderOf({ ...files })] }).version, version);
  assert.notEqual(
    loadCatalog({ directories: [folderOf({ ...files, "models/m.json": dearer })] }).version,
    version,
  );
});

test("any name on a server with free model names is a chat model at explicit zero prices, its spelling kept", () => {
  const catalog = loadCatalog({ directories: [builtIn] });
  const usage = { input_tokens: 9, cache_read_tokens: 9, cache_write_tokens: 9, output_tokens: 9 };
  for (const name of ["ollama/llama3.2:3b", "vllm/meta-llama/Llama-3.1-8B", "llamacpp/any"]) {
    const model = catalog.find(name)?.model;
    assert.ok(model?.kind === "chat", name);
    assert.deepEqual(
      [model.id, model.kind, model.contextWindow, model.maxOutput],
      [name, "chat", 128_000, 16_384],
    );
    assert.equal(model.offers.length, 1);
    for (const offer of model.offers) {
      assert.equal(offer.upstreamModel, name.slice(name.indexOf("/") + 1));
      assert.equal(offer.provider.baseUrl, undefined);
      assert.equal(offer.provider.keyOptional, true);
      assert.equal(costOf(offer.price, usage, "0.05"), 0n);
    }
  }
  assert.equal(catalog.find("OLLAMA/Qwen3")?.model.id, "ollama/Qwen3");
});

test("a name that is nothing of ours is not found, however hostile", () => {
  const catalog = loadCatalog({ directories: [builtIn] });
  const hostile = [
    "",
    "unknown",
    "x".repeat(10_240),
    `ollama/${"x".repeat(10_240)}`,
    "../../etc/passwd",
    "ollama/../../etc/passwd",
    "ollama/",
    "ollama",
    "openai/any",
    "__proto__",
    "constructor",
    "toString",
    "gpt-4o ",
    "gpt-4o\r\nX: y",
    "ollama/a\r\nX: y",
    "<img src=x onerror=alert(1)>",
    "gpt-4\u043E",
    "openrouter/moonshotai/\u212Aimi-k2.6",
  ];
  for (const name of hostile) {
    assert.equal(catalog.find(name), undefined, JSON.stringify(name.slice(0, 40)));
    assert.ok(catalog.near(name, 3).length <= 3);
  }
});

test("a misspelt name brings the likeliest names, best first, each model once", () => {
  const catalog = loadCatalog({ directories: [builtIn] });
  const near = catalog.near("gpt-4o-mni", 3);
  assert.equal(near[0], "gpt-4o-mini");
  assert.equal(near.length, 3);
  assert.equal(catalog.near("claude-sonet-4-5", 1)[0], "claude-sonnet-4-5");
  const models = catalog.near("claude", 50).map((name) => catalog.find(name)?.model.id);
  assert.equal(new Set(models).size, models.length);
  assert.deepEqual(catalog.near("zzzzzzzzzz", 3), []);
  assert.deepEqual(catalog.near("gpt-4o-mni", 0), []);
});
