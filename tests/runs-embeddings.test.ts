/** Vectors and rankings as a customer gets them in test mode: shape, meters, exact price, and holds that are enough. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { loadCatalog } from "../src/catalog/load.ts";
import type { RunModel } from "../src/core/model.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const ofCategory = (category: string): readonly RunModel[] =>
  catalog.models.flatMap((model) => (model.kind === "run" && model.category === category ? [model] : []));

let gateway: Gateway;
let customer: PayingCustomer;
before(async () => {
  gateway = await startGateway();
  customer = await payingCustomer(gateway);
});
after(() => endsClean(gateway));

const texts = ["A fox runs in the woods", "A fox ran in the woods", "Stars are far away"];

/** Letters of several bytes, tokens that are short, and a text that is nothing but marks. */
const odd = ["👩‍👩‍👧‍👦 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ꧁꧂", "ᚠᛇᚻ᛫ᛒᛦᚦ᛫ᚠᚱᚩᚠᚢᚱ", "a b c d e f g h", "!?".repeat(200)];

suite("embeddings", { concurrency: 4 }, () => {
  for (const { id, inputs } of ofCategory("embedding")) {
    const knows = (name: string): boolean => JSON.stringify(inputs).includes(`"${name}":`);
    test(`${id} gives a vector for each text, in their order, the likeness of texts in it`, async () => {
      const { status, body } = await customer.run(id, { input: texts });
      assert.equal(status, 200, JSON.stringify(body));
      const vectors: readonly (readonly number[])[] = body.data.map(
        (item: { readonly embedding: readonly number[] }) => item.embedding,
      );
      assert.equal(vectors.length, 3);
      const [one = [], like = [], other = []] = vectors;
      assert.ok(one.length >= 1_024);
      assert.ok(productOf(one, like) > productOf(one, other) + 0.2);
      assert.deepEqual([body.usage_estimated, Object.keys(body.usage)], [undefined, ["input_tokens"]]);
    });
    if (knows("dimensions"))
      test(`${id} gives vectors as long as asked for`, async () => {
        const { body } = await customer.run(id, { input: "A fox", dimensions: 256 });
        assert.equal(body.data[0].embedding.length, 256);
      });
    if (knows("encoding_format"))
      test(`${id} gives the same vectors as base64`, async () => {
        const numbers = await customer.run(id, { input: "A fox" });
        const bytes = await customer.run(id, { input: "A fox", encoding_format: "base64" });
        const read = Buffer.from(bytes.body.data[0].embedding, "base64");
        const floats = new Float32Array(Uint8Array.from(read).buffer);
        assert.deepEqual([...floats], numbers.body.data[0].embedding);
      });
  }
});

function productOf(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, place) => sum + value * (other[place] ?? 0), 0);
}

suite("rankings", { concurrency: 4 }, () => {
  for (const { id, inputs } of ofCategory("rerank")) {
    test(`${id} puts the text that answers first`, async () => {
      const documents = ["Bread is baked.", "The fox runs in the woods.", "Stars are far."];
      const { status, body } = await customer.run(id, { query: "Where runs the fox?", documents });
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual([body.results.length, body.results[0].index], [3, 1]);
      assert.ok(body.results[0].relevance_score > body.results[1].relevance_score);
      assert.deepEqual([body.results[0].document, body.usage_estimated], [undefined, undefined]);
      const best = await customer.run(id, { q: "fox", texts: documents, top_k: 1 });
      assert.deepEqual([best.status, best.body.results.length], [200, 1]);
      if (!JSON.stringify(inputs).includes('"return_documents":')) return;
      const shown = await customer.run(id, { query: "fox", documents, return_documents: true });
      assert.deepEqual(shown.body.results[0].document, { text: documents[1] });
    });
  }
});

test("a search of Cohere's is a hundred documents, a token elsewhere costs to the millionth of a credit", async () => {
  const payer = await payingCustomer(gateway);
  const documents = Array.from({ length: 101 }, (_, at) => `document ${at}`);
  const ranked = await payer.run("cohere/rerank-3.5", { query: "fox", documents, top_n: 2 });
  assert.deepEqual([ranked.body.usage, ranked.cost], [{ searches: 2 }, "0.080000"]);
  const embedded = await payer.run("text-embedding-3-large", { input: "tokens and more tokens" });
  assert.deepEqual([embedded.body.usage, embedded.cost], [{ input_tokens: 4 }, "0.000011"]);
  assert.equal(await payer.spent(), 0.080011);
});

test("OpenAI's texts may be tokens, and a prompt is taken for a text", async () => {
  const { body } = await customer.run("openai/text-embedding-3-small", { input: [[1, 2, 3], [4]] });
  assert.deepEqual([body.data.length, body.usage], [2, { input_tokens: 4 }]);
  const single = await customer.run("openai/text-embedding-3-small", { input: [5, 6, 7] });
  assert.deepEqual([single.body.data.length, single.body.usage], [1, { input_tokens: 3 }]);
  const prompt = await customer.run("openai/text-embedding-3-small", { prompt: "A fox" });
  assert.equal(prompt.body.data.length, 1);
});

test("what these inputs may reach is held: no usage is larger, whatever the texts are", async () => {
  for (const model of [...ofCategory("embedding"), ...ofCategory("rerank")]) {
    const isRanking = model.category === "rerank";
    const inputs = isRanking
      ? { query: odd[0], documents: odd }
      : { input: odd, ...(model.id.startsWith("cohere") ? { encoding_format: "float" } : {}) };
    const { body } = await customer.run(model.id, inputs);
    const [meter = "", used] = Object.entries(body.usage)[0] ?? [];
    const reserved = reservedBy(model, inputs)[meter] ?? 0;
    assert.ok(Number(used) <= reserved, `${model.id}: ${Number(used)} of ${reserved}`);
  }
});

function reservedBy({ offers }: RunModel, inputs: object): Readonly<Record<string, number>> {
  const [offer] = offers;
  assert.ok(offer !== undefined && "endpoint" in offer.work);
  const compiled = compileEndpoint(offer.work.endpoint);
  assert.ok("wire" in compiled);
  const run = { id: "run_1", webhookUrl: undefined };
  return compiled.wire.reserve({ inputs: { ...inputs }, env: {}, run });
}

test("tokens that nobody counted are charged as held and marked", async () => {
  for (const model of ["openai/text-embedding-3-small", "voyage/voyage-4", "jina/jina-embeddings-v3"]) {
    const input = "A fox [sandbox:fault-nousage]";
    const { body } = await customer.run(model, { input });
    const { input_tokens: reserved } = reservedBy(modelNamed(model), { input });
    assert.deepEqual([body.usage, body.usage_estimated], [{ input_tokens: reserved }, true]);
  }
});

function modelNamed(id: string): RunModel {
  const found = ofCategory("embedding").find((model) => model.id === id);
  return found ?? assert.fail(`there is no ${id}`);
}

test("too many texts, empty ones and unknown inputs are refused by us; failures cost nothing", async () => {
  const payer = await payingCustomer(gateway);
  const refusedWith = async (model: string, inputs: object): Promise<readonly unknown[]> => {
    const { status, body } = await payer.run(model, inputs);
    return [status, body.error.code, body.error.param ?? undefined];
  };
  const many = (count: number): readonly string[] => Array.from({ length: count }, () => "x");
  const invalid = [400, "invalid_request", "inputs.input"];
  assert.deepEqual(await refusedWith("cohere/embed-v4.0", { input: many(97) }), invalid);
  assert.deepEqual(await refusedWith("text-embedding-3-large", { input: many(513) }), invalid);
  const base64 = { input: many(513), encoding_format: "base64" };
  assert.equal((await payer.run("text-embedding-3-large", base64)).status, 200);
  const spent = await payer.spent();
  assert.deepEqual(await refusedWith("voyage/voyage-4", { input: "" }), invalid);
  assert.deepEqual(await refusedWith("jina/jina-reranker-v3", { documents: ["a"] }), [
    ...[400, "invalid_request", "inputs.query"],
  ]);
  for (const model of ["openai/text-embedding-3-small", "cohere/embed-v4.0", "mistral/mistral-embed"]) {
    const fails = (fault: string) => refusedWith(model, { input: `A fox [sandbox:fault-${fault}]` });
    assert.deepEqual(await fails("429"), [503, "upstream_unavailable", undefined]);
    assert.deepEqual(await fails("400"), [400, "upstream_rejected_request", undefined]);
    assert.deepEqual(await fails("malformed"), [502, "upstream_invalid_response", undefined]);
    assert.deepEqual(await fails("empty"), [502, "upstream_invalid_response", undefined]);
  }
  for (const model of ["cohere/rerank-v3.5", "voyage/rerank-2.5", "jina/jina-reranker-v3"]) {
    const empty = { query: "A fox [sandbox:fault-empty]", documents: ["a"] };
    assert.deepEqual(await refusedWith(model, empty), [502, "upstream_invalid_response", undefined]);
  }
  assert.equal(await payer.spent(), spent);
});
