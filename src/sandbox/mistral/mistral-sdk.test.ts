import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Mistral } from "@mistralai/mistralai";
import { HTTPValidationError, MistralError } from "@mistralai/mistralai/models/errors";
import { pdfOf } from "../media/pdf.ts";
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

const client = (apiKey = "k"): Mistral =>
  new Mistral({ apiKey, serverURL: `${sandbox.url}/mistral`, retryConfig: { strategy: "none" } });
const model = "mistral-ocr-latest";
const document = { type: "document_url", documentUrl: "https://example.com/report-12-pages.pdf" } as const;

test("a document is read page by page, and what was processed is told", async () => {
  const read = await client().ocr.process({ model, document });
  assert.deepEqual([read.pages.length, read.usageInfo.pagesProcessed], [12, 12]);
  assert.match(read.pages[0]?.markdown ?? "", /^# Page 1 of report-12-pages\.pdf/);
  assert.deepEqual(await client().ocr.process({ model, document }), read);
  const some = await client().ocr.process({ model, document, pages: "0,2-4,40" });
  assert.deepEqual(
    some.pages.map(({ index }) => index),
    [0, 2, 3, 4],
  );
});

test("pictures come along when they are asked for", async () => {
  const read = await client().ocr.process({ model, document, pages: [0, 1], includeImageBase64: true });
  const [image] = read.pages[1]?.images ?? [];
  assert.equal(read.pages[0]?.images.length, 0);
  assert.match(image?.imageBase64 ?? "", /^data:image\/jpeg;base64,\/9j\//);
  const without = await client().ocr.process({ model, document, pages: [1] });
  assert.equal(without.pages[0]?.images[0]?.imageBase64, null);
});

test("a PDF that is sent along is counted, a picture is one page", async () => {
  const base64 = pdfOf(["One", "Two", "Three"]).toString("base64");
  const pdf = { type: "document_url", documentUrl: `data:application/pdf;base64,${base64}` } as const;
  const read = await client().ocr.process({ model, document: pdf });
  assert.deepEqual([read.pages.length, (read.usageInfo.docSizeBytes ?? 0) > 100], [3, true]);
  const picture = { type: "image_url", imageUrl: "https://example.com/a.png" } as const;
  assert.equal((await client().ocr.process({ model, document: picture })).pages.length, 1);
});

test("texts become vectors of the model's length", async () => {
  const told = await client().embeddings.create({ model: "mistral-embed", inputs: ["One fox", "Two foxes"] });
  assert.deepEqual(
    told.data.map(({ index, embedding }) => [index, embedding?.length]),
    [
      [0, 1_024],
      [1, 1_024],
    ],
  );
  assert.ok((told.usage.promptTokens ?? 0) > 0);
  const code = await client().embeddings.create({
    model: "codestral-embed-2505",
    inputs: "return 1",
    outputDimension: 256,
  });
  assert.equal(code.data[0]?.embedding?.length, 256);
});

test("refusals are the SDK's own errors", async () => {
  const statusOf = async (asked: Promise<unknown>): Promise<number> => {
    const reason = await asked.catch((error: unknown) => error);
    assert.ok(reason instanceof MistralError);
    return reason.statusCode;
  };
  const read = (documentUrl: string, key?: string) =>
    client(key).ocr.process({ model, document: { type: "document_url", documentUrl } });
  assert.equal(await statusOf(read(document.documentUrl, "invalid")), 401);
  assert.equal(await statusOf(read("nowhere")), 400);
  assert.equal(await statusOf(read(`${document.documentUrl}?[sandbox:fault-429]`)), 429);
  assert.equal(await statusOf(read(`${document.documentUrl}?[sandbox:fault-500]`)), 500);
  const unknown = client().embeddings.create({ model: "none", inputs: ["x"] });
  assert.equal(await statusOf(unknown), 400);
  const empty = client().embeddings.create({ model: "mistral-embed", inputs: [""] });
  await assert.rejects(empty, HTTPValidationError);
});
