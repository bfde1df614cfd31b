/**
 * What is held must be enough: what a run costs beyond its hold is the operator's loss. Where the quantity is told by
 * the provider, something that is sent there or that it promises has to bound it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readInputs } from "../src/calls/runs/run-inputs.ts";
import { loadCatalog } from "../src/catalog/load.ts";
import type { EndpointMeter } from "../src/core/endpoint.ts";
import type { JsonObject } from "../src/core/json-object.ts";
import type { RunModel } from "../src/core/model.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import type { RunWire } from "../src/providers/declared/run-wire.ts";

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const models = catalog.models.flatMap((model) => (model.kind === "run" ? [model] : []));

/** Of the first offer. */
function wireOf({ id, offers: [offer] }: RunModel): RunWire {
  assert.ok(offer !== undefined && "endpoint" in offer.work, id);
  const compiled = compileEndpoint(offer.work.endpoint);
  assert.ok("wire" in compiled, id);
  return compiled.wire;
}

function asked(id: string, given: JsonObject) {
  const model = catalog.find(id)?.model;
  assert.ok(model?.kind === "run", id);
  const wire = wireOf(model);
  const context = { inputs: readInputs(model, given), env: {}, run: { id: "run_1", webhookUrl: undefined } };
  const { target, body } = wire.begin(context).ask;
  return {
    reserve: wire.reserve(context),
    target: "path" in target ? target.path : target.url,
    body: body?.toString() ?? "",
  };
}

test("a recording behind an address holds the longest that its provider takes; one that is sent, its own length", () => {
  const lengths: Record<string, number | undefined> = {};
  for (const { id, category, offers } of models) {
    if (category !== "stt" || offers.every(({ work }) => "engine" in work)) continue;
    const properties = Object.keys(catalogInputs(id));
    if (!properties.includes("audio_url")) continue;
    lengths[id] = asked(id, { audio_url: "https://example.com/a.mp3" }).reserve.audio_seconds;
  }
  assert.deepEqual(lengths, {
    "deepgram/nova-2": 36_000,
    "deepgram/nova-3": 36_000,
    "elevenlabs/scribe_v2": 36_000,
  });
  const hour = "A".repeat(3_600_000);
  assert.equal(asked("elevenlabs/scribe_v2", { audio_data: hour }).reserve.audio_seconds, 3_600);
});

function catalogInputs(id: string): JsonObject {
  const model = catalog.find(id)?.model;
  const properties = model?.kind === "run" ? model.inputs["properties"] : undefined;
  return typeof properties === "object" && properties !== null ? { ...properties } : {};
}

test("at fal a second without sound, an image in a vector style and each of several results count as fal counts them", () => {
  const prompt = "a boat";
  const frames = {
    first_frame_url: "https://example.com/a.png",
    last_frame_url: "https://example.com/b.png",
  };
  const silent = (id: string, more: JsonObject = {}) =>
    asked(id, { prompt, duration: 8, generate_audio: false, ...more }).reserve.video_seconds;
  // 0.20 of 0.40 USD a second, and 0.10 of 0.15.
  assert.equal(silent("fal/veo3.1"), 4);
  assert.equal(silent("fal/veo3.1/fast/first-last-frame-to-video", frames), 8 * 0.666667);
  for (const id of ["fal/recraft/v3/text-to-image", "fal/recraft-20b"]) {
    const images = (style: JsonObject) => asked(id, { prompt, ...style }).reserve.images;
    assert.deepEqual(
      [{}, { style: "any" }, { style: "vector_illustration" }, { style: "vector_illustration/line_art" }].map(
        images,
      ),
      [1, 1, 2, 2],
      id,
    );
  }
  assert.equal(asked("fal/bria/reimagine", { prompt, num_results: 4 }).reserve.images, 4);
  assert.equal(asked("fal/bria/product-shot", { image_url: "https://example.com/a.png" }).reserve.images, 1);
});

test("what Firecrawl takes for a page or a search is within the price: a PDF costs a credit a page, ten results two", () => {
  const credit = 830n;
  const price = 12_500n;
  const url = "https://example.com/a.pdf";
  for (const id of ["firecrawl/scrape", "firecrawl/crawl"]) {
    const { body } = asked(id, { url });
    const [, pages = ""] = /"parsers":\[\{"type":"pdf","maxPages":(\d+)\}\]/.exec(body) ?? [];
    // Whatever is given back besides costs four more at most.
    assert.ok((BigInt(pages) + 5n) * credit <= price, id);
  }
  for (const limit of [1, 5, 70, 71, 100]) {
    const { requests = 0 } = asked("firecrawl/search", { query: "prepaid", limit }).reserve;
    assert.equal(requests, limit > 70 ? 2 : 1);
    assert.ok(BigInt(Math.ceil(limit / 10)) * 2n * credit <= price * BigInt(requests), `${limit} results`);
  }
});

test("an actor is stopped when its memory and time have cost what the run may cost, whoever is paid by usage", () => {
  const actor = "apify~web-scraper";
  const usual = asked("apify/run-actor", { actor });
  assert.match(usual.target, /maxTotalChargeUsd=0\.5&timeout=600&memory=4096$/);
  assert.equal(usual.reserve.upstream_usd, 0.5);
  const large = { actor, memory_mb: 32_768, timeout_seconds: 3_600, max_total_charge_usd: 3.2 };
  const cut = asked("apify/run-actor", large);
  assert.match(cut.target, /timeout=900&memory=32768$/);
  assert.equal(cut.reserve.upstream_usd, 3.2);
});

/** By provider and meter: why what the provider tells cannot be more than what is held, or what may still be lost. */
const bounds: Readonly<Record<string, string>> = {
  "apify upstream_usd": "maxTotalChargeUsd, maxItems, timeout and memory are sent; proxies are not limited",
  "bfl megapixels": "the size is sent; each image given counts with four, which is the most it takes",
  "cohere input_tokens": "a character has at most four bytes, a token at least one",
  "cohere searches": "documents and their longest pieces are counted",
  "deepgram audio_seconds": "less than six kilobits a second is no speech; ten hours are the most it takes",
  "deepgram chars": "the text's own length",
  "elevenlabs audio_seconds": "less than six kilobits a second is no speech; ten hours are the most it takes",
  "exa pages": "one for each address asked for, or of the results asked for",
  "exa results": "the number of results is sent",
  "fal images": "the number of images is sent, or the app draws one",
  "fal megapixels":
    "the size is sent; where it follows an image, four megapixels, or 32 where it is enlarged",
  "fal video_seconds": "as long as the sound, and the apps take a minute of it",
  "firecrawl pages": "the limit is sent",
  "gamma upstream_usd": "the number of cards is sent, and a card has at most one image of the dearest model",
  "google video_seconds": "the number of samples is sent",
  "hunter requests": "the limit is sent",
  "jina input_tokens": "a character has at most four bytes, a token at least one",
  "kling video_seconds": "the duration is sent",
  "minimax chars": "a character counts as two at most",
  "minimax video_seconds": "the duration is sent",
  "mistral input_tokens": "a character has at most four bytes, a token at least one",
  "mistral pages": "the pages are sent; a document has at most a thousand",
  "openai audio_seconds": "less than six kilobits a second is no speech",
  "openai images": "the number of images is sent",
  "openai input_tokens": "a character has at most four bytes, a token at least one",
  "openai output_tokens": "the number, size and quality of images are sent",
  "perplexity input_tokens": "the context window, for each step; the steps are sent",
  "perplexity output_tokens": "max_tokens is sent, for each step",
  "perplexity searches": "the steps are sent",
  "replicate compute_seconds": "two minutes, which no enlargement took; nothing there limits it",
  "replicate images": "the number of images is sent, or the model draws one",
  "runway images": "the resolution is sent",
  "runway video_seconds": "the duration is sent",
  "serper requests": "the number of results is sent",
  "tavily pages": "the limit or the addresses are sent",
  "tavily requests": "the depth is sent",
  "twilio messages": "a segment has at least 67 characters of two bytes",
  "voyage input_tokens": "a character has at most four bytes, a token at least one",
};

/** What customers say and what is set is known before; all else is somebody's answer. */
const answers = /"\$\.(?!inputs\b|env\b|run\b)|\{(?:submit|poll|res|headers)\./;

function isTold({ quantity, reserve }: EndpointMeter): boolean {
  const written = JSON.stringify(quantity ?? null);
  const isCapped = written.startsWith('{"$min":[') && written.includes(JSON.stringify(reserve));
  // True or false of the answer decides between numbers of ours.
  const isChoice = /^\{"\$if":\["\$\.res\.\w+",\d+,\d+\]\}$/.test(written);
  return answers.test(written) && !isCapped && !isChoice;
}

test("every quantity that a provider tells has a reason why the hold is enough", () => {
  const told = new Set<string>();
  for (const { offers } of models) {
    for (const { provider, work } of offers) {
      if (!("endpoint" in work)) continue;
      for (const meter of work.endpoint.meters) if (isTold(meter)) told.add(`${provider.id} ${meter.meter}`);
    }
  }
  assert.deepEqual([...told].sort(), Object.keys(bounds).sort());
});
