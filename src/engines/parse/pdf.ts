import { getDocumentProxy } from "unpdf";
import { Problem } from "../../core/problems.ts";
import { documentFault } from "./document-fault.ts";
import type { DocumentReading, DocumentSection } from "./document-section.ts";
import { pagesWithin } from "./page-range.ts";
import type { PagesWanted } from "./page-range.ts";
import { pageText, usualSize } from "./pdf-layout.ts";
import type { PdfItem } from "./pdf-layout.ts";

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

/** And the input that it came as. */
export type GivenPassword = { readonly text: string; readonly param: string };

/** The text layer of each page. Pictures of text have none. */
export async function readPdf(
  bytes: Uint8Array,
  wanted: PagesWanted,
  password?: GivenPassword,
): Promise<DocumentReading> {
  const pdf = await open(bytes, password);
  if (pdf.numPages === 0) throw documentFault("The PDF has no pages.");
  const numbers = pagesWithin(wanted, pdf.numPages);
  const pages: { readonly number: number; readonly items: readonly PdfItem[] }[] = [];
  for (const number of numbers) {
    const items = await itemsOf(pdf, number);
    if (items !== undefined) pages.push({ number, items });
  }
  if (pages.length === 0) throw documentFault("No page of the PDF can be read.");
  if (pages.every(({ items }) => items.length === 0) && !mayHavePages(bytes))
    throw documentFault("The document is no PDF that can be read: its pages are missing.");
  const size = usualSize(pages.flatMap(({ items }) => items));
  const sections = pages.map(({ number, items }): DocumentSection => ({
    content: pageText(items, size),
    page: number,
  }));
  const title = await titleOf(pdf);
  return { sections, pages: pages.length, ...(title === undefined ? {} : { title }) };
}

async function open(bytes: Uint8Array, password: GivenPassword | undefined): Promise<Pdf> {
  try {
    // No font is looked for on this machine, and nothing is written about the document.
    return await getDocumentProxy(new Uint8Array(bytes), {
      useSystemFonts: false,
      disableFontFace: true,
      verbosity: 0,
      ...(password === undefined ? {} : { password: password.text }),
    });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    if (error instanceof Error && error.name === "PasswordException")
      throw password === undefined
        ? documentFault("The PDF is encrypted, and opens with a password only.", error)
        : new Problem("invalid_request", {
            message: "This password does not open the PDF.",
            param: password.param,
            cause: error,
          });
    throw documentFault("The document is no PDF that can be read.", error);
  }
}

/**
 * Every page has a size (PDF 2.0, 7.7.3.3), which stands in the file as it is or in a stream of objects. The reader takes
 * remains without any for an empty page.
 */
function mayHavePages(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return file.includes("/MediaBox") || file.includes("/ObjStm");
}

/** Undefined when the page is broken. */
async function itemsOf(pdf: Pdf, number: number): Promise<readonly PdfItem[] | undefined> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    return items.flatMap((item) => ("str" in item ? [itemOf(item)] : []));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}

type RawItem = {
  readonly str: string;
  readonly width: number;
  readonly transform: readonly number[];
  readonly hasEOL: boolean;
};

function itemOf({ str, width, transform, hasEOL }: RawItem): PdfItem {
  const [, , across = 0, up = 0, x = 0, y = 0] = transform;
  return { text: str, x, y, width, size: Math.hypot(across, up), endsLine: hasEOL };
}

async function titleOf(pdf: Pdf): Promise<string | undefined> {
  try {
    const { info } = await pdf.getMetadata();
    const title: unknown = "Title" in info ? info.Title : undefined;
    return typeof title === "string" && title.trim() !== "" ? title.trim().slice(0, 2000) : undefined;
  } catch {
    return undefined;
  }
}
