import { z } from "zod";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { readInputs } from "../read-inputs.ts";
import type { WorkerPool } from "../worker-pool.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { documentFrom } from "./document-source.ts";
import { markdownOf, readDocument } from "./document.ts";
import { pageRangeSchema } from "./page-range.ts";
import type { GivenPassword } from "./pdf.ts";

const password = z.string().max(200);
const address = z.string().min(1);
const sources = ["document_url", "input", "url"] as const;

const schema = z
  .object({
    document_url: address.optional(),
    input: address.optional(),
    url: address.optional(),
    page_range: pageRangeSchema.optional(),
    max_pages: z.int().min(1).optional(),
    chunk_mode: z.string().optional(),
    document_password: password.optional(),
    settings: z.object({ document_password: password.optional() }).optional(),
  })
  .refine((inputs) => sources.some((name) => inputs[name] !== undefined), {
    message: "Name the document.",
    path: ["document_url"],
  });

/** What is done anyway, or can be: all else that these may be is left out. */
const understood: Readonly<Record<string, readonly unknown[]>> = {
  chunk_mode: ["page", "disabled"],
  table_output_format: ["md", "dynamic"],
  "settings.ocr_system": [],
  "settings.extraction_mode": ["hybrid"],
};

function leavesOut(inputs: JsonObject): readonly string[] {
  const settings = isJsonObject(inputs["settings"]) ? inputs["settings"] : {};
  return Object.entries(understood).flatMap(([name, values]) => {
    const [outer = "", inner] = name.split(".");
    const value = inner === undefined ? inputs[outer] : settings[inner];
    return (value ?? undefined) === undefined || values.includes(value) ? [] : [name];
  });
}

const withoutText =
  "There is no text in this document. If it is a scan, its pages are pictures, and letters in pictures are not read here.";

/**
 * Reads documents as Markdown, with a chunk for each page, slide or sheet, or one for all: PDF, DOCX, XLSX, PPTX, HTML, CSV and text.
 * Charged are the pages that were read; a document without any text (a scan) costs nothing.
 */
export function parseEngine({ pool }: { readonly pool: WorkerPool }): Engine {
  return { name: "parse", missing: () => undefined, leavesOut, run: (context) => run(context, pool) };
}

type Passwords = Pick<z.output<typeof schema>, "document_password" | "settings">;

function passwordIn({ settings, document_password: loose }: Passwords): GivenPassword | undefined {
  const nested = settings?.document_password;
  if (nested !== undefined) return { text: nested, param: "settings.document_password" };
  return loose === undefined ? undefined : { text: loose, param: "document_password" };
}

async function run({ inputs, signal, fetchFile }: EngineContext, pool: WorkerPool): Promise<EngineResult> {
  const read = readInputs(schema, inputs);
  const param = sources.find((name) => read[name] !== undefined) ?? "document_url";
  const source = await documentFrom(read[param] ?? "", { fetchFile, signal, param });
  const order = {
    ...source,
    pages: { spans: read.page_range, most: read.max_pages },
    password: passwordIn(read),
  };
  const document = await readDocument(order, { pool, signal, param });
  const { pages } = document;
  const sections = read.chunk_mode === "disabled" ? [{ content: markdownOf(document) }] : document.sections;
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
