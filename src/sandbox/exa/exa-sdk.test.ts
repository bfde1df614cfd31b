import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Exa, ExaError } from "exa-js";
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

const client = (apiKey = "k"): Exa => new Exa(apiKey, `${sandbox.url}/exa`);

test("a search gives as many results as asked, the same ones each time, with their texts", async () => {
  const asked = { numResults: 4, contents: { text: { maxCharacters: 200 } } } as const;
  const found = await client().search("Wind power in Norway", asked);
  assert.equal(found.results.length, 4);
  for (const { title, url, text } of found.results) {
    assert.ok((title ?? "") !== "" && URL.canParse(url) && text.length > 50 && text.length <= 200);
  }
  assert.equal(found.costDollars?.total, 0.007);
  assert.deepEqual((await client().search("Wind power in Norway", asked)).results, found.results);
});

test("summaries, highlights and results beyond ten cost what the price list says", async () => {
  const found = await client().search("Tides", {
    numResults: 12,
    includeDomains: ["nature.com"],
    contents: { summary: true, highlights: true },
  });
  assert.ok(found.results.every(({ url }) => new URL(url).hostname === "nature.com"));
  assert.ok(found.results.every(({ summary, highlights }) => summary !== "" && highlights.length > 0));
  assert.equal(found.costDollars?.total, 0.007 + 0.002 + 0.012);
  const deep = await client().search("Tides", { type: "deep", additionalQueries: ["tidal range"] });
  assert.equal(deep.costDollars?.total, 0.015);
});

test("similar pages are found, not those of the same site unless wanted", async () => {
  const asked = { numResults: 20, excludeSourceDomain: true };
  const { results } = await client().findSimilar("https://example.com/wind-power", asked);
  assert.equal(results.length, 20);
  assert.ok(results.every(({ url }) => new URL(url).hostname !== "example.com"));
});

test("pages are read; those that cannot be found are told apart and cost nothing", async () => {
  const urls = ["https://example.com/wind-power", "https://nowhere.invalid/"];
  const { results, statuses, costDollars } = await client().getContents(urls, { text: true, summary: true });
  assert.deepEqual(
    results.map(({ url, title }) => [url, title]),
    [["https://example.com/wind-power", "Wind power | Example"]],
  );
  assert.deepEqual(
    statuses?.map(({ status }) => status),
    ["success", "error"],
  );
  assert.equal(costDollars?.total, 0.002);
});

test("a question is answered with sources, and in the form that is asked for", async () => {
  const plain = await client().answer("Why do tides differ?", { text: true });
  assert.ok(typeof plain.answer === "string" && plain.answer.length > 20);
  assert.ok(plain.citations.length > 0 && plain.citations.every(({ url }) => URL.canParse(url)));
  const schema = { type: "object", properties: { year: { type: "integer" } }, required: ["year"] };
  const { answer } = await client().answer("When was Acme founded?", { outputSchema: schema });
  assert.ok(typeof answer === "object" && Number.isInteger(answer["year"]));
});

test("refusals are the SDK's own errors", async () => {
  const refused = (status: number) => (error: unknown) =>
    error instanceof ExaError && error.statusCode === status;
  await assert.rejects(client("invalid").search("x"), refused(401));
  await assert.rejects(client().search("x [sandbox:fault-429]"), refused(429));
  await assert.rejects(client().search("x [sandbox:fault-402]"), refused(402));
  await assert.rejects(client().search("x", { numResults: 101 }), refused(400));
});
