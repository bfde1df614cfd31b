/** Office documents for the tests, written part by part as the programs write them, with no more than is looked at. */
import { strToU8, zipSync } from "fflate";

const officeTypes = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packageTypes = "http://schemas.openxmlformats.org/package/2006/relationships";

export type Parts = Readonly<Record<string, string | Uint8Array>>;

export function archiveOf(parts: Parts): Uint8Array {
  const entries = Object.entries(parts).map(
    ([name, part]) => [name, typeof part === "string" ? strToU8(part) : part] as const,
  );
  return zipSync(Object.fromEntries(entries), { level: 1 });
}

/** `kind target` by id: `{ rId1: "worksheet worksheets/sheet1.xml" }`. */
export function relations(of: Readonly<Record<string, string>>): string {
  const lines = Object.entries(of).map(([id, relation]) => {
    const [kind, target] = relation.split(" ");
    return `<Relationship Id="${id}" Type="${officeTypes}/${kind}" Target="${target}"/>`;
  });
  return `<?xml version="1.0"?><Relationships xmlns="${packageTypes}">${lines.join("")}</Relationships>`;
}

const contentTypes = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="xml" ContentType="application/xml"/></Types>`;

/** A text document with this body. */
export function docxOf(body: string, more: Parts = {}): Uint8Array {
  return archiveOf({
    "[Content_Types].xml": contentTypes,
    "_rels/.rels": relations({ rId1: "officeDocument word/document.xml" }),
    "word/document.xml": `<?xml version="1.0"?><w:document
xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    "word/_rels/document.xml.rels": relations({ rId1: "styles styles.xml" }),
    "word/styles.xml": `<?xml version="1.0"?><w:styles
xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph"
w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>`,
    ...more,
  });
}

export function paragraph(text: string, style?: string): string {
  const properties = style === undefined ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

/** A workbook with these sheets, each the rows within its `sheetData`. */
export function xlsxOf(
  sheets: Readonly<Record<string, string>>,
  { texts = [], styles = "" }: { readonly texts?: readonly string[]; readonly styles?: string } = {},
): Uint8Array {
  const names = Object.keys(sheets);
  const parts = Object.values(sheets).map((rows, at) => [
    `xl/worksheets/sheet${at + 1}.xml`,
    `<?xml version="1.0"?><worksheet><sheetData>${rows}</sheetData></worksheet>`,
  ]);
  const sheetRelations = names.map((_, at) => [`rId${at + 10}`, `worksheet worksheets/sheet${at + 1}.xml`]);
  const listed = names.map((name, at) => `<sheet name="${name}" sheetId="${at + 1}" r:id="rId${at + 10}"/>`);
  return archiveOf({
    "_rels/.rels": relations({ rId1: "officeDocument xl/workbook.xml" }),
    "xl/workbook.xml": `<?xml version="1.0"?><workbook><sheets>${listed.join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations({
      rId1: "sharedStrings sharedStrings.xml",
      rId2: "styles styles.xml",
      ...Object.fromEntries(sheetRelations),
    }),
    "xl/sharedStrings.xml": `<?xml version="1.0"?><sst>${texts.map((text) => `<si>${text}</si>`).join("")}</sst>`,
    "xl/styles.xml": `<?xml version="1.0"?><styleSheet>${styles}</styleSheet>`,
    ...Object.fromEntries(parts),
  });
}

export type SampleSlide = { readonly shapes: string; readonly notes?: string };

/** A presentation; slides are shown in the order given, though their files count backwards. */
export function pptxOf(slides: readonly SampleSlide[]): Uint8Array {
  const fileOf = (at: number): number => slides.length - at;
  const parts = slides.flatMap(({ shapes, notes }, at) => {
    const file = fileOf(at);
    const noteParts =
      notes === undefined
        ? []
        : [
            [
              `ppt/slides/_rels/slide${file}.xml.rels`,
              relations({ rId1: `notesSlide ../notesSlides/n${file}.xml` }),
            ],
            [
              `ppt/notesSlides/n${file}.xml`,
              `<p:notes>${shape("body", [notes])}${shape("sldNum", ["1"])}</p:notes>`,
            ],
          ];
    return [[`ppt/slides/slide${file}.xml`, `<?xml version="1.0"?><p:sld>${shapes}</p:sld>`], ...noteParts];
  });
  const listed = slides.map((_, at) => `<p:sldId id="${256 + at}" r:id="rId${at + 1}"/>`);
  const slideRelations = slides.map((_, at) => [`rId${at + 1}`, `slide slides/slide${fileOf(at)}.xml`]);
  return archiveOf({
    "_rels/.rels": relations({ rId1: "officeDocument ppt/presentation.xml" }),
    "ppt/presentation.xml": `<p:presentation><p:sldIdLst>${listed.join("")}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": relations(Object.fromEntries(slideRelations)),
    ...Object.fromEntries(parts),
  });
}

/** Text of a slide in a place of its layout; what begins with `>` is set back. */
export function shape(place: string | undefined, paragraphs: readonly string[]): string {
  const kind = place === undefined ? "" : `<p:nvPr><p:ph type="${place}"/></p:nvPr>`;
  const texts = paragraphs.map((text) => {
    const level = /^>*/.exec(text)?.[0].length ?? 0;
    return `<a:p><a:pPr lvl="${level}"/><a:r><a:t>${text.slice(level)}</a:t></a:r></a:p>`;
  });
  return `<p:sp><p:nvSpPr>${kind}</p:nvSpPr><p:txBody>${texts.join("")}</p:txBody></p:sp>`;
}
