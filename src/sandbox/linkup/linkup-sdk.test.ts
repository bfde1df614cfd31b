import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  LinkupAuthenticationError,
  LinkupClient,
  LinkupInvalidRequestError,
  LinkupNoResultError,
  LinkupTooManyRequestsError,
} from "linkup-sdk";
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

const client = (apiKey = "k"): LinkupClient =>
  new LinkupClient({ apiKey, baseUrl: `${sandbox.url}/linkup/v1` });

test("a search gives as many results as asked, the same ones each time", async () => {
  const asked = { query: "Wind power in Norway", depth: "standard", outputType: "searchResults" } as const;
  const { results } = await client().search({ ...asked, maxResults: 7 });
  assert.equal(results.length, 7);
  for (const result of results) {
    assert.ok(result.type === "text" && result.content.length > 20 && URL.canParse(result.url));
  }
  assert.deepEqual((await client().search({ ...asked, maxResults: 7 })).results, results);
  const pictured = await client().search({ ...asked, includeImages: true });
  assert.ok(pictured.results.some((result) => result.type === "image"));
});

test("domains are kept to", async () => {
  const { results } = await client().search({
    query: "Tides",
    depth: "fast",
    outputType: "searchResults",
    includeDomains: ["nature.com"],
  });
  assert.ok(results.every(({ url }) => new URL(url).hostname === "nature.com"));
});

test("a sourced answer has an answer and its sources", async () => {
  const answer = await client().search({
    query: "Why do tides differ?",
    depth: "deep",
    outputType: "sourcedAnswer",
    includeInlineCitations: true,
  });
  assert.match(answer.answer, /\[1\]\[2\]\[3\]$/);
  assert.equal(answer.sources.length, 3);
  assert.ok(answer.sources.every(({ snippet }) => snippet !== ""));
});

test("a structured answer satisfies the schema, with sources if asked", async () => {
  const schema = {
    type: "object",
    properties: { founded: { type: "integer" }, tags: { type: "array", items: { type: "string" } } },
    required: ["founded", "tags"],
  };
  const check = (data: Record<string, unknown>): void => {
    assert.ok(Number.isInteger(data["founded"]));
    assert.ok(Array.isArray(data["tags"]) && data["tags"].every((tag) => typeof tag === "string"));
  };
  const asked = { query: "Facts on Acme", depth: "standard", outputType: "structured" } as const;
  const plain = await client().search({ ...asked, structuredOutputSchema: schema });
  check(plain);
  const sourced = await client().search({
    ...asked,
    structuredOutputSchema: schema,
    includeSources: true as const,
  });
  check(sourced.data);
  assert.ok(sourced.sources.length > 0);
});

test("a page is fetched as Markdown, with HTML and pictures if asked", async () => {
  const url = "https://example.com/wind-power";
  const plain = await client().fetch({ url });
  assert.match(plain.markdown, /^# Wind power \| Example\n/);
  const full = await client().fetch({ url, includeRawHtml: true, extractImages: true });
  assert.match(full.rawHtml, /<h1>Wind power/);
  assert.deepEqual(full.images, [{ alt: "Wind power | Example", url: "https://example.com/images/1.png" }]);
});

test("refusals are the SDK's own errors", async () => {
  const search = (query: string, apiKey?: string): Promise<unknown> =>
    client(apiKey).search({ query, depth: "standard", outputType: "searchResults" });
  await assert.rejects(search(""), LinkupInvalidRequestError);
  await assert.rejects(search("x", "invalid"), LinkupAuthenticationError);
  await assert.rejects(search("x [sandbox:fault-429]"), LinkupTooManyRequestsError);
  await assert.rejects(client().fetch({ url: "nowhere" }), LinkupInvalidRequestError);
  const none = { query: "x", depth: "fast", outputType: "searchResults" } as const;
  await assert.rejects(
    client().search({ ...none, includeDomains: ["a.com"], excludeDomains: ["a.com"] }),
    LinkupNoResultError,
  );
});
