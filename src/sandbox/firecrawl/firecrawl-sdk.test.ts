import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Firecrawl, SdkError } from "@mendable/firecrawl-js";
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

const client = (apiKey = "k"): Firecrawl =>
  new Firecrawl({ apiKey, apiUrl: `${sandbox.url}/firecrawl`, maxRetries: 1 });

const url = "https://example.com/wind-power";

test("a page is scraped in the forms asked for, and tells what it cost", async () => {
  const plain = await client().scrape(url);
  assert.match(plain.markdown ?? "", /^# Wind power/);
  assert.equal(plain.metadata?.creditsUsed, 1);
  assert.equal(plain.metadata?.sourceURL, url);
  const schema = { type: "object", properties: { price: { type: "number" } }, required: ["price"] };
  const full = await client().scrape(url, {
    formats: ["html", "links", "summary", "screenshot", { type: "json", schema }],
    proxy: "stealth",
  });
  assert.equal(full.markdown, undefined);
  assert.match(full.html ?? "", /<h1>Wind power/);
  assert.ok((full.links ?? []).every((link) => link.startsWith("https://example.com/")));
  assert.equal(full.metadata?.creditsUsed, 9);
  assert.match(JSON.stringify(full.json), /^\{"price":[-\d.]+\}$/);
  const picture = await fetch(full.screenshot ?? "");
  assert.equal(picture.headers.get("content-type"), "image/png");
});

test("a crawl is waited for and read to its end through the cursor", async () => {
  const crawl = await client().crawl(url, { limit: 23, pollInterval: 0.05, timeout: 30 });
  assert.deepEqual([crawl.status, crawl.total, crawl.completed], ["completed", 23, 23]);
  assert.equal(crawl.creditsUsed, 23);
  assert.equal(new Set(crawl.data.map(({ metadata }) => metadata?.sourceURL)).size, 23);
});

test("a crawl is followed page by page, and cancelled", async () => {
  const { id } = await client().startCrawl(url, { limit: 12 });
  let status = await client().getCrawlStatus(id, { autoPaginate: false });
  while (status.status === "scraping") status = await client().getCrawlStatus(id, { autoPaginate: false });
  assert.equal(status.data.length, 10);
  assert.match(status.next ?? "", /\?skip=10$/);
  const endless = await client().startCrawl("https://example.com/[sandbox:job-never]", { limit: 12 });
  assert.equal((await client().getCrawlStatus(endless.id)).status, "scraping");
  assert.equal(await client().cancelCrawl(endless.id), true);
  assert.equal((await client().getCrawlStatus(endless.id)).status, "cancelled");
  const failed = await client().startCrawl("https://example.com/[sandbox:job-fail][sandbox:job-ms-0]");
  assert.equal((await client().getCrawlStatus(failed.id)).status, "failed");
});

test("a site is mapped", async () => {
  const { links } = await client().map("https://example.com", { limit: 5, search: "blog" });
  assert.equal(links.length, 5);
  assert.ok(links.every(({ url: link, title }) => link.includes("blog") && title !== ""));
});

test("a search has results from each source, read as pages if asked, and its cost", async () => {
  const found = await client().search("Wind power", { limit: 3, sources: ["web", "news", "images"] });
  assert.deepEqual([found.web?.length, found.news?.length, found.images?.length], [3, 3, 3]);
  const response = await fetch(`${sandbox.url}/firecrawl/v2/search`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify({ query: "Wind", limit: 12, scrapeOptions: { formats: ["markdown"] } }),
  });
  const { data, creditsUsed } = JSON.parse(await response.text());
  assert.equal(creditsUsed, 4 + 12);
  assert.match(data.web[11].markdown, /^# /);
});

test("refusals are the SDK's own errors", async () => {
  const refusedWith = async (asked: Promise<unknown>): Promise<unknown> => {
    const reason = await asked.catch((error: unknown) => error);
    assert.ok(reason instanceof SdkError);
    return reason.status;
  };
  assert.equal(await refusedWith(client().scrape("nowhere")), 400);
  assert.equal(await refusedWith(client("invalid").scrape(url)), 401);
  assert.equal(await refusedWith(client().scrape(`${url}[sandbox:fault-402]`)), 402);
  assert.equal(await refusedWith(client().search("Wind [sandbox:fault-429]")), 429);
  assert.equal(await refusedWith(client().getCrawlStatus("nobody")), 404);
});
