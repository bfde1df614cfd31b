import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { tavily } from "@tavily/core";
import type { TavilyClient } from "@tavily/core";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const client = (apiKey = "tvly-k"): TavilyClient => tavily({ apiKey, apiBaseURL: `${sandbox.url}/tavily` });

test("a search gives as many results as asked, the same ones each time, and its price to those who ask", async () => {
  const asked = { maxResults: 7, includeUsage: true } as const;
  const found = await client().search("Wind power in Norway", asked);
  assert.equal(found.results.length, 7);
  for (const { title, url, content, score } of found.results) {
    assert.ok(title !== "" && URL.canParse(url) && content.length > 20 && score > 0 && score <= 1);
  }
  assert.deepEqual(found.usage, { credits: 1 });
  assert.deepEqual((await client().search("Wind power in Norway", asked)).results, found.results);
  const deep = await client().search("Wind power", { searchDepth: "advanced", includeUsage: true });
  assert.deepEqual([deep.results.length, deep.usage], [5, { credits: 2 }]);
  assert.equal((await client().search("Wind power")).usage, undefined);
});

test("domains are kept to; answer, text and pictures come when asked for", async () => {
  const plain = await client().search("Tides", { includeDomains: ["nature.com"] });
  assert.ok(plain.results.every(({ url }) => new URL(url).hostname === "nature.com"));
  assert.deepEqual([plain.answer, plain.images], [undefined, []]);
  const full = await client().search("Tides", {
    includeAnswer: true,
    includeRawContent: "markdown",
    includeImages: true,
    includeImageDescriptions: true,
    topic: "news",
  });
  assert.ok((full.answer ?? "").length > 20);
  assert.match(full.results[0]?.rawContent ?? "", /^# /);
  assert.ok(!Number.isNaN(Date.parse(full.results[0]?.publishedDate ?? "")));
  const [picture] = full.images;
  assert.ok((picture?.description ?? "").length > 10);
  assert.equal((await fetch(picture?.url ?? "")).headers.get("content-type"), "image/jpeg");
});

test("pages are read; those that cannot be found are told apart", async () => {
  const urls = ["https://example.com/wind-power", "https://nowhere.invalid/"];
  const { results, failedResults } = await client().extract(urls, { extractDepth: "advanced" });
  assert.deepEqual(
    [results.map(({ url }) => url), failedResults.map(({ url }) => url)],
    [["https://example.com/wind-power"], ["https://nowhere.invalid/"]],
  );
  assert.match(results[0]?.rawContent ?? "", /^# Wind power \| Example\n/);
});

test("a site is mapped and crawled as far as asked", async () => {
  const map = await client().map("https://example.com", { limit: 12, includeUsage: true });
  assert.deepEqual([map.results.length, map.baseUrl, map.usage], [12, "example.com", { credits: 2 }]);
  const crawl = await client().crawl("https://example.com", { limit: 3, includeUsage: true });
  assert.deepEqual([crawl.results.length, crawl.usage], [3, { credits: 2 }]);
  assert.ok(crawl.results.every(({ url, rawContent }) => URL.canParse(url) && rawContent.startsWith("# ")));
});

test("refusals have the words that the SDK tells", async () => {
  await assert.rejects(client("invalid").search("x"), /Unauthorized: missing or invalid API key/);
  await assert.rejects(client().search("x [sandbox:fault-429]"), /excessive requests/);
  await assert.rejects(client().search("x [sandbox:fault-432]"), /usage limit/);
  await assert.rejects(client().search(""), /'query' must be at least 1/);
  await assert.rejects(client().extract([]), /Empty URL list/);
});
