import assert from "node:assert/strict";
import { test } from "node:test";
import { contextOf, endpoint, RunUnderTest } from "./run-under-test.ts";

const reducto = endpoint({
  request: { path: "/parse_async", body: { input: "$.inputs.document_url" } },
  polling: {
    poll: { path: "/job/{submit.job_id}" },
    done: ["Completed"],
    failed: ["Failed", "Cancelled"],
    message: "$.res.reason",
  },
  fetches: [{ when: "$.poll.result.result.url", url: "$.poll.result.result.url", as: "big" }],
  output: {
    chunks: { $default: ["$.big.chunks", "$.poll.result.result.chunks"] },
    pages: "$.poll.result.usage.num_pages",
  },
  meters: [
    {
      meter: "pages",
      reserve: { $default: ["$.inputs.max_pages", 100] },
      quantity: "$.poll.result.usage.num_pages",
    },
  ],
});

const chunks = [{ content: "Page one", blocks: [] }];
const usage = { num_pages: 3, credits: 4.5 };

test("Reducto: a small result is in the answer, a large one behind an address", () => {
  const small = new RunUnderTest(reducto, contextOf({ document_url: "https://e.example/a.pdf" }));
  small.wait({ job_id: "j1" });
  assert.equal(small.where, "GET /job/j1");
  small.wait({ status: "Pending", progress: 0.1 });
  const inline = { status: "Completed", result: { usage, result: { type: "full", chunks } } };
  assert.deepEqual(small.end(inline).output, { chunks, pages: 3 });
  const large = new RunUnderTest(reducto, contextOf({ document_url: "https://e.example/b.pdf" }));
  large.wait({ job_id: "j2" });
  const url = "https://reducto-files.example/r.json?X-Amz-Signature=1";
  large.wait({ status: "Completed", result: { usage, result: { type: "url", url } } });
  assert.equal(large.where, `GET ${url}`);
  const end = large.end({ chunks, type: "full" });
  assert.deepEqual([end.output, end.usage], [{ chunks, pages: 3 }, { pages: 3 }]);
});

const ocr = endpoint({
  request: {
    path: "/v1/ocr",
    body: {
      model: "mistral-ocr-latest",
      document: {
        $if: [
          "$.inputs.image_url",
          { type: "image_url", image_url: "$.inputs.image_url" },
          { type: "document_url", document_url: "$.inputs.document_url" },
        ],
      },
      pages: "$.inputs.pages",
      include_image_base64: "$.inputs.include_images",
    },
  },
  errors: { message: { $default: ["$.res.message", "$.res.detail"] }, code: "$.res.type" },
  output: {
    pages: {
      $map: {
        from: "$.res.pages",
        as: "page",
        to: {
          index: "$.page.index",
          markdown: "$.page.markdown",
          images: {
            $map: {
              from: "$.page.images",
              as: "image",
              when: "$.image.image_base64",
              to: {
                id: "$.image.id",
                url: { $file: { base64: "$.image.image_base64", name: "$.image.id" } },
              },
            },
          },
        },
      },
    },
  },
  meters: [
    {
      meter: "pages",
      reserve: { $default: [{ $len: "$.inputs.pages" }, 100] },
      quantity: "$.res.usage_info.pages_processed",
    },
  ],
});

test("Mistral OCR: pages with pictures, reserved by the pages asked for, metered by those processed", () => {
  const run = new RunUnderTest(ocr, contextOf({ document_url: "https://e.example/a.pdf", pages: [0, 1] }));
  assert.deepEqual(run.json, {
    model: "mistral-ocr-latest",
    document: { type: "document_url", document_url: "https://e.example/a.pdf" },
    pages: [0, 1],
  });
  assert.deepEqual(run.wire.reserve(run.context), { pages: 2 });
  const end = run.end({
    model: "mistral-ocr-2505",
    pages: [
      {
        index: 0,
        markdown: "# A ![i](img-0.jpeg)",
        images: [
          { id: "img-0.jpeg", image_base64: "data:image/jpeg;base64,/9j/4A==" },
          { id: "img-1.jpeg", image_base64: null },
        ],
      },
      { index: 1, markdown: "" },
    ],
    usage_info: { pages_processed: 2, doc_size_bytes: 1234 },
  });
  const url = { $file: { base64: "/9j/4A==", mime: "image/jpeg", name: "img-0.jpeg" } };
  assert.deepEqual(end.output, {
    pages: [
      { index: 0, markdown: "# A ![i](img-0.jpeg)", images: [{ id: "img-0.jpeg", url }] },
      { index: 1, markdown: "" },
    ],
  });
  assert.deepEqual(end.usage, { pages: 2 });
});

const gamma = endpoint({
  request: {
    path: "/generations",
    body: {
      inputText: "$.inputs.prompt",
      textMode: { $default: ["$.inputs.text_mode", "generate"] },
      format: "presentation",
      numCards: "$.inputs.slides",
      exportAs: { $lower: "$.inputs.export_as" },
    },
  },
  errors: { message: "$.res.message" },
  polling: {
    poll: { path: "/generations/{submit.generationId}" },
    done: ["completed"],
    failed: ["failed"],
    intervalMs: 5_000,
    maxIntervalMs: 5_000,
  },
  output: {
    url: "$.poll.gammaUrl",
    file: { $file: { url: "$.poll.exportUrl", name: { $tpl: "slides.{inputs.export_as}" } } },
  },
  meters: [
    { meter: "requests" },
    { meter: "upstream_usd", reserve: 0, quantity: { $mul: ["$.poll.credits.deducted", 0.002] } },
  ],
});

test("Gamma: slides are polled every five seconds, and their temporary file is marked to be stored", () => {
  const run = new RunUnderTest(gamma, contextOf({ prompt: "Foxes", slides: 3, export_as: "pptx" }));
  assert.deepEqual(run.json, {
    inputText: "Foxes",
    textMode: "generate",
    format: "presentation",
    numCards: 3,
    exportAs: "pptx",
  });
  assert.equal(run.wait({ generationId: "g1" }, 201), 5_000);
  assert.equal(run.wait({ generationId: "g1", status: "pending" }), 5_000);
  const end = run.end({
    generationId: "g1",
    status: "completed",
    gammaUrl: "https://gamma.app/docs/g1",
    exportUrl: "https://assets.gamma.example/g1.pptx",
    credits: { deducted: 50, remaining: 950 },
  });
  assert.deepEqual(end.output, {
    url: "https://gamma.app/docs/g1",
    file: { $file: { url: "https://assets.gamma.example/g1.pptx", name: "slides.pptx" } },
  });
  assert.deepEqual(end.usage, { requests: 1, upstream_usd: 0.1 });
});

const rerank = endpoint({
  request: {
    path: "/v2/rerank",
    body: {
      model: "rerank-v3.5",
      query: "$.inputs.query",
      documents: "$.inputs.documents",
      top_n: "$.inputs.top_n",
    },
  },
  errors: { message: "$.res.message" },
  output: {
    results: {
      $map: { from: "$.res.results", as: "r", to: { index: "$.r.index", score: "$.r.relevance_score" } },
    },
  },
  meters: [
    {
      meter: "searches",
      reserve: { $ceil: { $div: [{ $len: "$.inputs.documents" }, 100] } },
      quantity: "$.res.meta.billed_units.search_units",
    },
  ],
});

test("Cohere rerank: a search unit is a hundred documents, and what was billed is told", () => {
  const documents = Array.from({ length: 101 }, (_, index) => `document ${index}`);
  const run = new RunUnderTest(rerank, contextOf({ query: "fox", documents, top_n: 1 }));
  assert.deepEqual(run.wire.reserve(run.context), { searches: 2 });
  const end = run.end({
    id: "x",
    results: [{ index: 7, relevance_score: 0.98 }],
    meta: { api_version: { version: "2" }, billed_units: { search_units: 2 } },
  });
  assert.deepEqual(end.output, { results: [{ index: 7, score: 0.98 }] });
  assert.deepEqual(end.usage, { searches: 2 });
});
