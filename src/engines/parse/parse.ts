import { z } from "zod";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { readInputs } from "../read-inputs.ts";
import type { WorkerPool } from "../worker-pool.ts";
import { documentFrom } from "./document-source.ts";
import { readDocument } from "./document.ts";
import { pageRangeSchema } from "./page-range.ts";

const address = z.string().min(1);
const sources = ["document_url", "input", "url"] as const;

const schema = z
  .object({
    document_url: address.optional(),
    input: address.optional(),
    url: address.optional(),
    page_range: pageRangeSchema.optional(),
  })
  .refine((inputs) => sources.some((name) => inputs[name] !== undefined), {
    message: "Name the document.",
    path: ["document_url"],
  });

const withoutText =
  "There is no text in this document. If it is a scan, its pages are pictures, and letters in pictures are not read here.";

/**
 * Reads documents as Markdown, with a chunk for each page, slide or sheet: PDF, DOCX, XLSX, PPTX, HTML, CSV and text.
 * Charged are the pages that were read; a document without any text (a scan) costs nothing.
 */
export function parseEngine({ pool }: { readonly pool: WorkerPool }): Engine {
  return { name: "parse", missing: () => undefined, run: (context) => run(context, pool) };
}

async function run({ inputs, signal, fetchFile }: EngineContext, pool: WorkerPool): Promise<EngineResult> {
  const read = readInputs(schema, inputs);
  const param = sources.find((name) => read[name] !== undefined) ?? "document_url";
  const source = await documentFrom(read[param] ?? "", { fetchFile, signal, param });
  const order = { ...source, pages: read.page_range };
  const { sections, pages } = await readDocument(order, { pool, signal, param });
  const chunks = sections
    .filter(({ content }) => content !== "")
    .map(({ content }) => ({ content, embed: content, enriched: null, blocks: [] }));
  const isEmpty = chunks.length === 0;
  return {
    output: {
      result: { type: "full", chunks },
      pages,
      usage: { num_pages: pages },
      ...(isEmpty ? { note: withoutText } : {}),
    },
    files: [],
    usage: { pages },
    isEmpty,
  };
}
