import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's documentation: there is no SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Answer = {
  readonly status: number;
  // The answers of the emulator under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
};

async function ask(path: string, body: object, key = "k"): Promise<Answer> {
  const response = await fetch(`${sandbox.url}/serper${path}`, {
    method: "POST",
    headers: { "x-api-key": key },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

test("a web search has results, what belongs to them, and what it took", async () => {
  const { body } = await ask("/search", { q: "Wind power in Norway", num: 10, gl: "no" });
  assert.equal(body.organic.length, 10);
  for (const [at, hit] of body.organic.entries()) {
    assert.ok(hit.title !== "" && URL.canParse(hit.link) && hit.snippet !== "" && hit.position === at + 1);
  }
  assert.deepEqual(body.searchParameters, {
    q: "Wind power in Norway",
    num: 10,
    gl: "no",
    type: "search",
    engine: "google",
  });
  assert.ok(body.knowledgeGraph.title !== "" && body.relatedSearches.length > 0);
  assert.equal(body.credits, 1);
  assert.deepEqual((await ask("/search", { q: "Wind power in Norway", num: 10, gl: "no" })).body, body);
  assert.equal((await ask("/search", { q: "Wind", num: 20 })).body.credits, 2);
  assert.deepEqual((await ask("/search", { q: "nothing" })).body.organic, []);
});

test("every vertical has its own list, with what its results have", async () => {
  const members: Readonly<Record<string, readonly [string, readonly string[], number]>> = {
    news: ["news", ["title", "link", "snippet", "date", "source", "imageUrl"], 1],
    images: ["images", ["title", "imageUrl", "imageWidth", "thumbnailUrl", "source", "domain", "link"], 1],
    videos: ["videos", ["title", "link", "duration", "channel"], 1],
    places: ["places", ["title", "address", "latitude", "longitude", "rating", "cid"], 1],
    maps: ["places", ["title", "address", "type", "types", "openingHours", "placeId"], 3],
    scholar: ["organic", ["title", "link", "publicationInfo", "year", "citedBy"], 1],
    shopping: ["shopping", ["title", "source", "link", "price", "productId"], 2],
  };
  for (const [vertical, [list, names, credits]] of Object.entries(members)) {
    const { body } = await ask(`/${vertical}`, { q: "coffee" });
    assert.equal(body.credits, credits, vertical);
    assert.ok(body[list].length > 0, vertical);
    for (const name of names) assert.ok(name in body[list][0], `${vertical}: ${name}`);
  }
});

test("refusals are in Serper's form: 403 for a wrong key, 400 for an empty account", async () => {
  const told = async (asked: Promise<Answer>): Promise<readonly unknown[]> => {
    const { status, body } = await asked;
    assert.equal(body.statusCode, status);
    return [status, body.message];
  };
  assert.deepEqual(await told(ask("/search", { q: "x" }, "invalid")), [403, "Unauthorized."]);
  assert.deepEqual(await told(ask("/search", {})), [400, "Missing query parameter 'q'"]);
  assert.deepEqual(await told(ask("/search", { q: "x [sandbox:fault-402]" })), [400, "Not enough credits"]);
  assert.deepEqual(await told(ask("/search", { q: "x [sandbox:fault-429]" })), [429, "Rate limit exceeded"]);
  assert.equal((await ask("/webpages", { q: "x" })).status, 404);
});
