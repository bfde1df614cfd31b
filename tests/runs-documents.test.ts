/** Documents and presentations as a customer gets them in test mode: shape, files, meters, exact price, failures. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unzipSync } from "fflate";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";

let gateway: Gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => endsClean(gateway));

const address = (pages: number, note = ""): string => `https://example.com/report-${pages}-pages.pdf${note}`;

test("a document is read as Markdown and costs 0.02 USD a page", async () => {
  const customer = await payingCustomer(gateway);
  const { status, body, cost } = await customer.run("reducto/parse", { document_url: address(2) });
  assert.equal(status, 200, JSON.stringify(body));
  const [chunk] = body.result.chunks;
  assert.match(chunk.content, /# Page 1 of report-2-pages\.pdf[^]*# Page 2 of/);
  assert.deepEqual(
    [body.result.type, body.pages, body.usage, cost],
    ["full", 2, { pages: 2, num_pages: 2, credits: 2 }, "0.800000"],
  );
  assert.equal(await customer.spent(), 0.8);
});

test("a document's usual names are understood, and its chunks are cut as asked", async () => {
  const customer = await payingCustomer(gateway);
  const { body } = await customer.run("reducto/parse", {
    url: address(3),
    chunk_mode: "page",
    settings: { ocr_system: "standard" },
  });
  assert.equal(body.result.chunks.length, 3);
});

test("a large result is fetched from the address that the provider names", async () => {
  const customer = await payingCustomer(gateway);
  const { body } = await customer.run("reducto/parse", { document_url: address(40) });
  assert.match(body.result.chunks[0].content, /# Page 40 of/);
  assert.deepEqual([body.usage, await customer.spent()], [{ pages: 40, num_pages: 40, credits: 40 }, 16]);
});

test("credits are held for as many pages as may be read, and no more are charged", async () => {
  const poor = await payingCustomer(gateway, { credits: "1.00" });
  const all = await poor.run("reducto/parse", { document_url: address(12) });
  assert.deepEqual([all.status, all.body.error.required_credits], [402, 40]);
  const some = await poor.run("reducto/parse", { document_url: address(12), max_pages: 2 });
  assert.deepEqual([some.status, some.body.usage], [200, { pages: 2, num_pages: 12, credits: 12 }]);
  assert.equal(await poor.spent(), 0.8);
  const range = { start: 4, end: 5 };
  const refused = await poor.run("reducto/parse", { document_url: address(12), page_range: range });
  assert.equal(refused.body.error.required_credits, 0.8);
});

test("what a schema asks for is read out of a document", async () => {
  const customer = await payingCustomer(gateway);
  const schema = { type: "object", properties: { total: { type: "number" } }, required: ["total"] };
  const { status, body } = await customer.run("reducto/extract", {
    document_url: address(3),
    instructions: { schema },
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(typeof body.result[0].total, "number");
  assert.deepEqual([body.usage, await customer.spent()], [{ pages: 3, num_pages: 3, credits: 6 }, 1.8]);
});

test("a job that fails costs nothing; one that waits can be called off; a poll in vain is asked again", async () => {
  const customer = await payingCustomer(gateway);
  const failed = await customer.run("reducto/parse", { document_url: address(2, "?[sandbox:job-fail]") });
  assert.deepEqual([failed.status, failed.body.error.code], [502, "run_failed"]);
  assert.equal(await customer.spent(), 0);
  const waiting = { document_url: address(2, "?[sandbox:job-never]") };
  const { body: accepted } = await customer.run("reducto/parse", waiting, { async: true });
  const cancel = (): Promise<Response> =>
    fetch(`${gateway.url}/v1/run/${accepted.job_id}/cancel`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}` },
    });
  let answer = await cancel();
  // It may be on its way to the provider still.
  while (answer.status === 409) answer = await cancel();
  assert.equal(answer.status, 200);
  const late = address(2, "?[sandbox:unknown-1][sandbox:poll-503]");
  assert.equal((await customer.run("reducto/parse", { document_url: late })).status, 200);
  assert.equal(await customer.spent(), 0.8);
});

test("pages come with their pictures as files of ours", async () => {
  const customer = await payingCustomer(gateway);
  const { status, body } = await customer.run("mistral/ocr", {
    document_url: address(3),
    max_pages: 3,
    include_images: true,
  });
  assert.equal(status, 200, JSON.stringify(body));
  const numbers = body.pages.map((page: { readonly index: number }) => page.index);
  assert.deepEqual(numbers, [0, 1, 2]);
  const [picture] = body.pages[1].images;
  assert.match(body.pages[1].markdown, new RegExp(`!\\[${picture.id}\\]`));
  const file = await fetch(picture.url);
  assert.deepEqual([file.status, file.headers.get("content-type")], [200, "image/jpeg"]);
  assert.ok(picture.url.startsWith(gateway.url));
  // 0.004 USD a page.
  assert.deepEqual([body.usage, await customer.spent()], [{ pages: 3 }, 0.24]);
});

test("only the pages that are named are read, held for and charged; a picture is one", async () => {
  const poor = await payingCustomer(gateway, { credits: "1.00" });
  const all = await poor.run("mistral/ocr", { document_url: address(12) });
  assert.deepEqual([all.status, all.body.error.required_credits], [402, 80]);
  const some = await poor.run("mistral/ocr", { document_url: address(12), pages: [0, 4] });
  assert.deepEqual(some.body.usage, { pages: 2 });
  const picture = await poor.run("mistral/ocr", { image_url: "https://example.com/a.png" });
  assert.deepEqual(picture.body.usage, { pages: 1 });
  assert.equal(await poor.spent(), 0.24);
});

test("pages that nobody counted are charged as held and marked; no page at all is free", async () => {
  const customer = await payingCustomer(gateway);
  const order = address(3, "?[sandbox:fault-nousage]");
  const { body } = await customer.run("mistral/ocr", { document_url: order, max_pages: 5 });
  assert.deepEqual([body.usage, body.usage_estimated], [{ pages: 5 }, true]);
  assert.equal(await customer.spent(), 0.4);
  const none = await customer.run("mistral/ocr", { document_url: address(3), pages: [40] });
  assert.deepEqual([none.status, none.body.is_empty], [200, true]);
  assert.equal(await customer.spent(), 0.4);
});

test("slides are made, their file lies with us, and they cost what the provider charged", async () => {
  const customer = await payingCustomer(gateway);
  const wish = { inputText: "Foxes in the city", numCards: 4, exportAs: "pptx" };
  const { status, body } = await customer.run("gamma/generation", {
    ...wish,
    imageOptions: { source: "noImages" },
    textOptions: { language: "de" },
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.gammaUrl, /^https:\/\/gamma\.app\/docs\//);
  assert.ok(body.exportUrl.startsWith(gateway.url));
  const files = unzipSync(new Uint8Array(await (await fetch(body.exportUrl)).arrayBuffer()));
  assert.ok("ppt/slides/slide4.xml" in files);
  assert.ok(!("credits" in body));
  // Twelve of the provider's credits of 0.004 USD.
  assert.deepEqual([body.usage, await customer.spent()], [{ upstream_usd: 0.048 }, 0.96]);
  const poor = await payingCustomer(gateway, { credits: "1.00" });
  const split = { inputText: "A\n---\n".repeat(20), numCards: 1, imageOptions: { source: "noImages" } };
  const held = async (more: object): Promise<unknown> =>
    (await poor.run("gamma/generate", { ...split, ...more })).body.error?.required_credits;
  // Five credits of 0.004 USD for each of 21 cards.
  assert.deepEqual([await held({ cardSplit: "inputTextBreaks" }), await held({})], [8.4, undefined]);
  const drawn = await customer.run("gamma/generate", { prompt: "Foxes", slides: 4 });
  assert.deepEqual([drawn.body.usage, drawn.body.exportUrl], [{ upstream_usd: 0.08 }, undefined]);
});

test("what is not known, or the provider refuses, is told and costs nothing", async () => {
  const customer = await payingCustomer(gateway);
  const refusedWith = async (model: string, inputs: object): Promise<readonly unknown[]> => {
    const { status, body } = await customer.run(model, inputs);
    return [status, body.error.code, body.error.param ?? undefined];
  };
  assert.deepEqual(await refusedWith("reducto/parse", { document_url: "ftp://example.com/a.pdf" }), [
    ...[400, "invalid_request", "inputs.document_url"],
  ]);
  assert.deepEqual(await refusedWith("mistral/ocr", {}), [400, "invalid_request", "inputs.document_url"]);
  assert.deepEqual(await refusedWith("gamma/generate", { inputText: "Foxes", numCardz: 3 }), [
    ...[400, "invalid_request", "inputs.numCardz"],
  ]);
  const ordered = (fault: string) => ({
    document_url: address(1, `?[sandbox:fault-${fault}]`),
    max_pages: 1,
  });
  const cases = [
    ["400", 400, "upstream_rejected_request"],
    ["402", 503, "upstream_unavailable"],
    ["429", 503, "upstream_unavailable"],
    ["500", 502, "upstream_error"],
    ["malformed", 502, "upstream_invalid_response"],
    ["empty", 502, "upstream_invalid_response"],
    ["cut", 502, "outcome_unknown"],
  ] as const;
  for (const [fault, status, code] of cases) {
    for (const model of ["mistral/ocr", "reducto/parse"])
      assert.deepEqual(await refusedWith(model, ordered(fault)), [status, code, undefined], fault);
  }
  assert.equal(await customer.spent(), 0);
});
