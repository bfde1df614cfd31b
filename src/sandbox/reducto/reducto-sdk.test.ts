import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Reducto from "reductoai";
import { pdfOf } from "../media/pdf.ts";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

const client = (apiKey = "k"): Reducto =>
  new Reducto({ apiKey, baseURL: `${sandbox.url}/reducto`, maxRetries: 0 });

const address = "https://example.com/report-12-pages.pdf";

test("a document is parsed, page by page if asked, and tells pages and credits", async () => {
  const parsed = await client().parse.run({
    input: address,
    retrieval: { chunking: { chunk_mode: "page" } },
  });
  assert.ok("result" in parsed && parsed.result.type === "full");
  assert.equal(parsed.result.chunks.length, 12);
  assert.equal(parsed.usage.num_pages, 12);
  assert.equal(parsed.usage.credits, 12);
  assert.equal(Object.keys(parsed.usage.page_billing_breakdown ?? {}).length, 12);
  const again = await client().parse.run({ input: address, retrieval: { chunking: { chunk_mode: "page" } } });
  assert.ok("result" in again);
  assert.deepEqual(again.result, parsed.result);
});

test("an upload keeps the number of its pages", async () => {
  const file = new File([new Uint8Array(pdfOf(["One", "Two", "Three"]))], "three.pdf");
  const uploaded = await client().upload({ file });
  assert.match(uploaded.file_id, /^reducto:\/\/.*\.pdf$/);
  const parsed = await client().parse.run({ input: uploaded });
  assert.ok("usage" in parsed);
  assert.equal(parsed.usage.num_pages, 3);
});

test("a large result is behind an address that needs no key and does not last", async () => {
  const parsed = await client().parse.run({ input: "https://example.com/book-40-pages.pdf" });
  assert.ok("result" in parsed && parsed.result.type === "url");
  const { url } = parsed.result;
  const content = JSON.parse(await (await fetch(url)).text());
  assert.match(content.chunks[0].content, /# Page 40 of book-40-pages\.pdf/);
  now += 3_700_000;
  assert.equal((await fetch(url)).status, 403);
});

test("a job passes through its states, fails, is cancelled", async () => {
  const reducto = client();
  const begin = async (order: string): Promise<string> =>
    (await reducto.parse.runJob({ input: `${address}?[sandbox:${order}]` })).job_id;
  const job = await begin("job-ms-1000");
  assert.equal((await reducto.job.get(job)).status, "Pending");
  now += 500;
  const working = await reducto.job.get(job);
  assert.equal(String(working.status), "InProgress");
  assert.equal(working.progress, 0.5);
  now += 500;
  const done = await reducto.job.get(job);
  assert.equal(done.status, "Completed");
  assert.ok(done.result && "usage" in done.result && done.result.usage !== null);
  assert.ok("num_pages" in done.result.usage);
  assert.equal(done.result.usage.num_pages, 12);
  const failing = await begin("job-fail");
  const endless = await begin("job-never");
  now += 1_000;
  const failed = await reducto.job.get(failing);
  assert.equal(failed.status, "Failed");
  assert.notEqual(failed.reason, null);
  await reducto.job.cancel(endless);
  assert.equal(String((await reducto.job.get(endless)).status), "Cancelled");
});

test("fields are extracted as the schema wants them", async () => {
  const schema = { type: "object", properties: { total: { type: "number" } }, required: ["total"] };
  const extracted = await client().extract.run({ input: address, instructions: { schema } });
  assert.ok("result" in extracted && Array.isArray(extracted.result));
  assert.match(JSON.stringify(extracted.result), /^\[\{"total":[-\d.]+\}\]$/);
  assert.equal(extracted.usage.num_pages, 12);
});

test("refusals are the SDK's own errors", async () => {
  const parse = (input: string, apiKey?: string) => client(apiKey).parse.run({ input });
  await assert.rejects(parse(address, "invalid"), Reducto.AuthenticationError);
  await assert.rejects(parse("nowhere"), Reducto.UnprocessableEntityError);
  await assert.rejects(parse(`${address}?[sandbox:fault-429]`), Reducto.RateLimitError);
  await assert.rejects(parse(`${address}?[sandbox:job-fail]`), Reducto.InternalServerError);
  await assert.rejects(client().job.get("nobody"), Reducto.NotFoundError);
});
