import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CohereClientV2, CohereError } from "cohere-ai";
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

const client = (token = "k"): CohereClientV2 =>
  new CohereClientV2({ token, environment: `${sandbox.url}/cohere`, maxRetries: 0 });

test("texts become vectors of the length and type asked for, and billed tokens are told", async () => {
  const told = await client().embed({
    model: "embed-v4.0",
    inputType: "search_document",
    texts: ["One fox", "Two foxes"],
    embeddingTypes: ["float", "int8"],
    outputDimension: 256,
  });
  assert.deepEqual(
    told.embeddings.float?.map(({ length }) => length),
    [256, 256],
  );
  assert.equal(told.embeddings.int8?.[1]?.length, 256);
  assert.ok((told.meta?.billedUnits?.inputTokens ?? 0) > 0);
  const usual = await client().embed({ model: "embed-v4.0", inputType: "search_query", texts: ["A fox"] });
  assert.equal(usual.embeddings.float?.[0]?.length, 1_536);
});

const documents = ["Bread is baked.", "The fox runs in the woods.", "Stars are far."];

test("the document that has most in common with the query is first", async () => {
  const told = await client().rerank({ model: "rerank-v3.5", query: "Where runs the fox?", documents });
  assert.deepEqual([told.results.length, told.results[0]?.index], [3, 1]);
  const scores = told.results.map(({ relevanceScore }) => relevanceScore);
  assert.deepEqual(
    scores,
    scores.toSorted((one, other) => other - one),
  );
  const top = await client().rerank({ model: "rerank-v3.5", query: "fox", documents, topN: 1 });
  assert.equal(top.results.length, 1);
});

test("a search unit is a hundred documents; long ones count as several", async () => {
  const unitsOf = async (list: readonly string[]) => {
    const told = await client().rerank({ model: "rerank-v3.5", query: "fox", documents: [...list] });
    return told.meta?.billedUnits?.searchUnits;
  };
  assert.equal(await unitsOf(documents), 1);
  assert.equal(await unitsOf(Array.from({ length: 101 }, (_, at) => `document ${at}`)), 2);
  assert.equal(await unitsOf(Array.from({ length: 40 }, () => "A long text of it. ".repeat(300))), 2);
});

test("refusals are the SDK's own errors", async () => {
  const refused = async (query: string, token?: string, model = "rerank-v3.5") => {
    const reason = await client(token)
      .rerank({ model, query, documents })
      .catch((error: unknown) => error);
    assert.ok(reason instanceof CohereError);
    return reason.statusCode;
  };
  assert.equal(await refused("fox", "invalid"), 401);
  assert.equal(await refused(""), 400);
  assert.equal(await refused("fox", "k", "none"), 404);
  assert.equal(await refused("[sandbox:fault-429]"), 429);
  assert.equal(await refused("[sandbox:fault-500]"), 500);
});
