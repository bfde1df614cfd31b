/** Documents that the tests are about, made here so that nothing in them is unknown. */
import { PDFDocument, StandardFonts } from "pdf-lib";

export async function onePagePdf(text: string): Promise<Uint8Array> {
  return pdfOf([{ heading: undefined, lines: [text] }]);
}

export type SamplePage = { readonly heading: string | undefined; readonly lines: readonly string[] };

/** Each page has its heading in large letters, and its lines as one paragraph each. */
export async function pdfOf(pages: readonly SamplePage[], title?: string): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  if (title !== undefined) document.setTitle(title);
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (const { heading, lines } of pages) {
    const page = document.addPage();
    if (heading !== undefined) page.drawText(heading, { x: 50, y: 780, size: 26, font });
    for (const [at, line] of lines.entries())
      page.drawText(line, { x: 50, y: 720 - at * 60, size: 12, font, lineHeight: 15 });
  }
  return document.save();
}
