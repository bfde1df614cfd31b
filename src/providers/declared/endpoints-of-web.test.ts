import assert from "node:assert/strict";
import { test } from "node:test";
import { contextOf, endpoint, RunUnderTest } from "./run-under-test.ts";

const scrape = endpoint({
  request: {
    path: "/v2/scrape",
    body: {
      url: "$.inputs.url",
      formats: { $default: ["$.inputs.formats", ["markdown"]] },
      onlyMainContent: "$.inputs.only_main_content",
    },
  },
  errors: {
    when: { $eq: ["$.res.success", false] },
    message: "$.res.error",
    code: "$.res.code",
    codes: { SCRAPE_TIMEOUT: "unavailable" },
  },
  output: { markdown: "$.res.data.markdown", html: "$.res.data.html", metadata: "$.res.data.metadata" },
  meters: [
    { meter: "requests" },
    { meter: "upstream_usd", reserve: 0, quantity: { $div: ["$.res.data.metadata.creditsUsed", 1_000] } },
  ],
});

test("Firecrawl scrape: one question, one answer, and a refusal within 200", () => {
  const run = new RunUnderTest(scrape, contextOf({ url: "https://e.example/", only_main_content: false }));
  assert.deepEqual(run.json, {
    url: "https://e.example/",
    formats: ["markdown"],
    onlyMainContent: false,
  });
  const metadata = { title: "E", sourceURL: "https://e.example/", statusCode: 200, creditsUsed: 5 };
  const end = run.end({ success: true, data: { markdown: "# E", metadata } });
  assert.deepEqual(end.output, { markdown: "# E", metadata });
  assert.deepEqual(end.usage, { requests: 1, upstream_usd: 0.005 });
  assert.equal(run.fault({ success: false, error: "no such host" }).kind, "failed");
  assert.equal(run.fault({ success: false, code: "SCRAPE_TIMEOUT" }, 408).kind, "unavailable");
  assert.equal(run.fault({ success: false, error: "Insufficient credits" }, 402).kind, "credential");
});

const crawl = endpoint({
  request: { path: "/v2/crawl", body: { url: "$.inputs.url", limit: { $default: ["$.inputs.limit", 10] } } },
  errors: { when: { $eq: ["$.res.success", false] }, message: "$.res.error" },
  polling: {
    poll: { path: "/v2/crawl/{submit.id}" },
    cancel: { method: "DELETE", path: "/v2/crawl/{submit.id}" },
    done: ["completed"],
    failed: ["failed", "cancelled"],
    progress: { $div: ["$.res.completed", "$.res.total"] },
  },
  fetches: [
    {
      when: "$.poll.next",
      url: "$.poll.next",
      as: "rest",
      pages: { next: "$.res.next", items: "$.res.data", maxPages: 20 },
    },
  ],
  output: {
    pages: {
      $map: {
        from: { $concat: ["$.poll.data", "$.rest"] },
        as: "p",
        to: { markdown: "$.p.markdown", url: "$.p.metadata.sourceURL" },
      },
    },
  },
  meters: [
    {
      meter: "pages",
      reserve: { $default: ["$.inputs.limit", 10] },
      quantity: { $default: ["$.poll.creditsUsed", "$.poll.total"] },
    },
  ],
});

const pageOf = (n: number): object => ({
  markdown: `page ${n}`,
  metadata: { sourceURL: `https://e.example/${n}`, statusCode: 200 },
});

test("Firecrawl crawl: later pages follow the address that each page names, to the end", () => {
  const run = new RunUnderTest(crawl, contextOf({ url: "https://e.example/", limit: 5 }));
  run.wait({ success: true, id: "c1", url: "https://api.firecrawl.dev/v2/crawl/c1" });
  const step = run.hear({ success: true, status: "scraping", total: 5, completed: 1, data: [pageOf(1)] });
  assert.equal(step.state === "ask" ? step.progress : undefined, 0.2);
  const next = (skip: number): string => `https://api.firecrawl.dev/v2/crawl/c1?skip=${skip}`;
  const first = { success: true, status: "completed", total: 5, completed: 5, creditsUsed: 5 };
  run.wait({ ...first, data: [pageOf(1), pageOf(2)], next: next(2) });
  assert.equal(run.where, `GET ${next(2)}`);
  run.wait({ ...first, data: [pageOf(3), pageOf(4)], next: next(4) });
  assert.equal(run.where, `GET ${next(4)}`);
  assert.equal(run.wait({}, 502), 1_000);
  assert.equal(run.where, `GET ${next(4)}`, "a page that failed is asked for again, not the first one");
  const end = run.end({ ...first, data: [pageOf(5)] });
  const urls = [1, 2, 3, 4, 5].map((n) => ({ markdown: `page ${n}`, url: `https://e.example/${n}` }));
  assert.deepEqual(end.output, { pages: urls });
  assert.deepEqual(end.usage, { pages: 5 });
});

test("Firecrawl crawl: what is complete in one answer is not fetched further", () => {
  const run = new RunUnderTest(crawl, contextOf({ url: "https://e.example/" }));
  run.wait({ success: true, id: "c1" });
  const end = run.end({ success: true, status: "completed", total: 1, completed: 1, data: [pageOf(1)] });
  assert.deepEqual([end.usage, end.estimated], [{ pages: 1 }, false]);
});

const linkup = endpoint({
  request: {
    path: "/search",
    body: {
      q: "$.inputs.query",
      depth: { $default: ["$.inputs.depth", "standard"] },
      outputType: { $default: ["$.inputs.output_type", "searchResults"] },
    },
  },
  errors: { message: "$.res.error.message", code: "$.res.error.code" },
  output: { results: "$.res.results", answer: "$.res.answer", sources: "$.res.sources" },
  emptyWhen: { $eq: [{ $len: "$.res.results" }, 0] },
  meters: [
    {
      meter: "searches",
      reserve: {
        $enum: { of: { $default: ["$.inputs.depth", "standard"] }, table: { deep: 10 }, else: 1 },
      },
    },
  ],
});

test("Linkup: the price goes by an input, and an answer that found nothing is empty", () => {
  const run = new RunUnderTest(linkup, contextOf({ query: "foxes", depth: "deep" }));
  assert.deepEqual(run.json, { q: "foxes", depth: "deep", outputType: "searchResults" });
  assert.deepEqual(run.wire.reserve(run.context), { searches: 10 });
  const results = [{ type: "text", name: "Fox", url: "https://f.example", content: "…" }];
  const end = run.end({ results });
  assert.deepEqual([end.output, end.usage, end.isEmpty], [{ results }, { searches: 10 }, false]);
  assert.equal(run.end({ results: [] }).isEmpty, true);
  const plain = new RunUnderTest(linkup, contextOf({ query: "foxes" }));
  assert.deepEqual(plain.wire.reserve(plain.context), { searches: 1 });
});

const apify = endpoint({
  request: { path: "/actors/{inputs.actor}/runs", body: "$.inputs.input" },
  errors: { message: "$.res.error.message", code: "$.res.error.type" },
  polling: {
    poll: { path: "/actor-runs/{submit.data.id}", query: { waitForFinish: 20 } },
    cancel: { method: "POST", path: "/actor-runs/{submit.data.id}/abort" },
    status: "$.res.data.status",
    done: ["SUCCEEDED"],
    failed: ["FAILED", "ABORTED", "TIMED-OUT"],
    message: "$.res.data.statusMessage",
  },
  fetches: [
    {
      path: "/datasets/{submit.data.defaultDatasetId}/items",
      query: { limit: { $default: ["$.inputs.limit", 100] } },
      as: "items",
    },
  ],
  output: { items: "$.items" },
  meters: [
    { meter: "results", reserve: { $default: ["$.inputs.limit", 100] }, quantity: { $len: "$.items" } },
    { meter: "upstream_usd", reserve: 0, quantity: "$.poll.data.usageTotalUsd" },
  ],
});

test("Apify: start, wait, fetch the dataset; what it cost us is metered and never shown", () => {
  const inputs = { actor: "apify~website-content-crawler", input: { startUrls: ["https://e.example"] } };
  const run = new RunUnderTest(apify, contextOf(inputs));
  assert.equal(run.where, "POST /actors/apify~website-content-crawler/runs");
  assert.deepEqual(run.json, inputs.input);
  const data = {
    id: "r1",
    actId: "a",
    status: "READY",
    defaultDatasetId: "d1",
    options: { memoryMbytes: 4096 },
  };
  run.wait({ data }, 201);
  assert.equal(run.where, "GET /actor-runs/r1?waitForFinish=20");
  run.wait({ data: { ...data, status: "RUNNING" } });
  run.wait({ data: { ...data, status: "SUCCEEDED", usageTotalUsd: 0.0123, stats: { computeUnits: 1 } } });
  assert.equal(run.where, "GET /datasets/d1/items?limit=100");
  assert.deepEqual(run.memory, {
    phase: "fetch",
    submit: { data: { id: "r1", defaultDatasetId: "d1" } },
    poll: { data: { usageTotalUsd: 0.0123 } },
    fetch: 0,
  });
  const end = run.end([{ url: "https://e.example", text: "E" }, { url: "https://e.example/2" }]);
  assert.deepEqual(end.output, {
    items: [{ url: "https://e.example", text: "E" }, { url: "https://e.example/2" }],
  });
  assert.deepEqual(end.usage, { results: 2, upstream_usd: 0.0123 });
});

const profile = endpoint({
  request: {
    method: "GET",
    encoding: "none",
    path: "/v1/instagram/profile",
    query: { handle: "$.inputs.handle", trim: "$.inputs.trim", tag: "$.inputs.tags" },
  },
  errors: { when: { $eq: ["$.res.success", false] }, message: "$.res.message" },
  output: { $omit: { from: "$.res", members: ["success", "credits_remaining"] } },
  meters: [{ meter: "requests" }],
});

test("ScrapeCreators: a GET with parameters; the whole answer is the result, but for our balance there", () => {
  const run = new RunUnderTest(profile, contextOf({ handle: "jane doe&x=1", trim: true, tags: ["a", "b"] }));
  assert.equal(run.where, "GET /v1/instagram/profile?handle=jane%20doe%26x%3D1&trim=true&tag=a&tag=b");
  assert.deepEqual([run.ask.body, run.ask.headers], [undefined, {}]);
  const user = { username: "jane", edge_followed_by: { count: 12 } };
  const end = run.end({ success: true, credits_remaining: 4711, data: { user } });
  assert.deepEqual(end.output, { data: { user } });
  assert.equal(run.fault({ success: false, message: "not found" }, 404).kind, "rejected");
});

const hunter = endpoint({
  request: {
    method: "GET",
    encoding: "none",
    path: "/v2/email-verifier",
    query: { email: "$.inputs.email" },
  },
  errors: { message: "$.res.errors[0].details", code: "$.res.errors[0].id" },
  polling: {
    skipWhen: { $eq: ["$.status", 200] },
    poll: { path: "/v2/email-verifier", query: { email: "$.inputs.email" } },
    status: { $if: [{ $eq: ["$.status", 202] }, "verifying", "verified"] },
    done: ["verified"],
    intervalMs: 3_000,
  },
  output: { $pick: { from: "$.poll.data", members: ["status", "score", "email", "accept_all"] } },
  meters: [{ meter: "requests" }],
});

test("Hunter: an answer that is not ready yet is told by its status, and the same question is asked again", () => {
  const run = new RunUnderTest(hunter, contextOf({ email: "a+b@e.example" }));
  assert.equal(run.where, "GET /v2/email-verifier?email=a%2Bb%40e.example");
  assert.equal(run.wait({ data: { status: "unknown" } }, 202), 3_000);
  assert.equal(run.where, "GET /v2/email-verifier?email=a%2Bb%40e.example");
  run.wait({}, 202);
  const data = { status: "valid", score: 97, email: "a+b@e.example", accept_all: false, sources: [] };
  assert.deepEqual(run.end({ data, meta: {} }).output, {
    status: "valid",
    score: 97,
    email: "a+b@e.example",
    accept_all: false,
  });
  const ready = new RunUnderTest(hunter, contextOf({ email: "a@e.example" }));
  assert.equal(ready.end({ data }).output["score"], 97);
  const errors = [{ id: "too_many_requests", code: 429, details: "You have reached the limit" }];
  const fault = ready.fault({ errors }, 429, { "retry-after-ms": "1500" });
  assert.deepEqual([fault.kind, fault.code, fault.retryAfterSeconds], ["busy", "too_many_requests", 2]);
});
