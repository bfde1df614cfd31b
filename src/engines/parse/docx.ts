import mammoth from "mammoth";
import { toMarkdown } from "../scrape/markdown.ts";
import { parsePage } from "../scrape/page-document.ts";
import type { Archive } from "./archive.ts";
import { documentFault } from "./document-fault.ts";
import type { DocumentReading } from "./document-section.ts";
import { assertSafeXml, readXml } from "./xml-reader.ts";

/** A text document as one section. Its pages are those of its last layout, which the writing program noted in it. */
export async function readDocx(archive: Archive): Promise<DocumentReading> {
  const pages = pagesOf(archive);
  // The reader below trusts what it unpacks, so it gets only what was looked at.
  for (const name of archive.names) assertSafeXml(archive.text(name) ?? "");
  const html = await htmlOf(archive.repacked());
  return { sections: [{ content: toMarkdown(parsePage(html).body) }], pages };
}

async function htmlOf(buffer: Buffer): Promise<string> {
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer },
      { convertImage: mammoth.images.imgElement(async () => ({ src: "" })) },
    );
    return value;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw documentFault("The document is no text document that can be read.", error);
  }
}

function pagesOf(archive: Archive): number {
  let rendered = 0;
  let forced = 0;
  for (const event of readXml(archive.text("word/document.xml") ?? "")) {
    if (event.kind !== "open") continue;
    if (event.name === "lastRenderedPageBreak") rendered += 1;
    if (event.name === "br" && event.prefixed("type") === "page") forced += 1;
  }
  return 1 + Math.max(rendered, forced);
}
