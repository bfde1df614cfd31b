/** Reads one document, in a worker of the pool. */
import { removeNoise } from "../scrape/main-content.ts";
import { toMarkdown } from "../scrape/markdown.ts";
import { baseOf, makeAddressesAbsolute } from "../scrape/page-addresses.ts";
import { parsePage } from "../scrape/page-document.ts";
import { factsOf } from "../scrape/page-facts.ts";
import { openArchive } from "./archive.ts";
import { csvToMarkdown } from "./csv.ts";
import { documentFault } from "./document-fault.ts";
import { containerOf, officeKindOf, textDocumentOf } from "./document-kind.ts";
import type { DocumentKind, TextDocument } from "./document-kind.ts";
import type { DocumentReading } from "./document-section.ts";
import { readDocx } from "./docx.ts";
import type { PagesWanted } from "./page-range.ts";
import { readPdf } from "./pdf.ts";
import type { GivenPassword } from "./pdf.ts";
import { readPptx } from "./pptx.ts";
import { readXlsx } from "./xlsx.ts";

export type ParseOrder = {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** The address or file name; its ending tells what the bytes do not. */
  readonly name: string;
  readonly pages: PagesWanted;
  /** Opens a protected PDF. */
  readonly password?: GivenPassword | undefined;
};

export type ParsedDocument = DocumentReading & { readonly kind: DocumentKind };

const readable = "Read are PDF, DOCX, XLSX, PPTX, HTML, CSV and plain text.";

export async function work(order: ParseOrder): Promise<ParsedDocument> {
  const { bytes, pages, password } = order;
  if (bytes.length === 0) throw documentFault("The document is empty.");
  switch (containerOf(bytes)) {
    case "pdf":
      return { kind: "pdf", ...(await readPdf(bytes, pages, password)) };
    case "zip":
      return readOffice(bytes, pages);
    case "ole":
      throw documentFault(`The document is encrypted, or of an Office format before 2007. ${readable}`);
    case undefined:
      return readText(textDocumentOf(bytes, order), order);
  }
}

async function readOffice(bytes: Uint8Array, pages: PagesWanted): Promise<ParsedDocument> {
  const archive = openArchive(bytes);
  const kind = officeKindOf(archive);
  switch (kind) {
    case "docx":
      return { kind, ...(await readDocx(archive)) };
    case "xlsx":
      return { kind, ...readXlsx(archive, pages) };
    case "pptx":
      return { kind, ...readPptx(archive, pages) };
    case undefined:
      throw documentFault(`The archive is no document. ${readable}`);
  }
}

function readText(document: TextDocument | undefined, { name }: ParseOrder): ParsedDocument {
  if (document === undefined) throw documentFault(`The file is of no kind that is read here. ${readable}`);
  const { kind, text } = document;
  if (text.trim() === "") throw documentFault("The document is empty.");
  switch (kind) {
    case "html":
      return { kind, ...readHtml(text, name) };
    case "csv":
      return { kind, sections: [{ content: csvToMarkdown(text) }], pages: 1 };
    case "text":
      return { kind, sections: [{ content: text.trim() }], pages: 1 };
  }
}

function readHtml(html: string, name: string): DocumentReading {
  const page = parsePage(html);
  const { title } = factsOf(page);
  if (URL.canParse(name)) makeAddressesAbsolute(page, baseOf(page, name));
  removeNoise(page);
  return { sections: [{ content: toMarkdown(page.body) }], pages: 1, ...(title === "" ? {} : { title }) };
}
