import { zipOf } from "./stored-zip.ts";
import type { ZipEntry } from "./stored-zip.ts";

export type Slide = { readonly title: string; readonly text: string };

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const schemas = "http://schemas.openxmlformats.org";
const document = `${schemas}/officeDocument/2006/relationships`;
const names =
  `xmlns:a="${schemas}/drawingml/2006/main" xmlns:r="${document}" ` +
  `xmlns:p="${schemas}/presentationml/2006/main"`;
const emptyTree = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>';
const colours: Readonly<Record<string, string>> = {
  dk1: "000000",
  lt1: "FFFFFF",
  dk2: "44546A",
  lt2: "E7E6E6",
  accent1: "4472C4",
  accent2: "ED7D31",
  accent3: "A5A5A5",
  accent4: "FFC000",
  accent5: "5B9BD5",
  accent6: "70AD47",
  hlink: "0563C1",
  folHlink: "954F72",
};

/** Slides of a title and a text, as a PowerPoint file. */
export function pptxOf(slides: readonly Slide[]): Buffer {
  const slideName = (at: number): string => `slides/slide${at + 1}.xml`;
  const layout = relation("slideLayout", "../slideLayouts/slideLayout1.xml");
  const files: ZipEntry[] = [
    entry("[Content_Types].xml", contentTypes(slides.map((_, at) => slideName(at)))),
    entry("_rels/.rels", relations([relation("officeDocument", "ppt/presentation.xml")])),
    entry("ppt/presentation.xml", presentation(slides.length)),
    entry(
      "ppt/_rels/presentation.xml.rels",
      relations([
        relation("slideMaster", "slideMasters/slideMaster1.xml"),
        ...slides.map((_, at) => relation("slide", slideName(at))),
      ]),
    ),
    entry("ppt/slideMasters/slideMaster1.xml", master),
    entry(
      "ppt/slideMasters/_rels/slideMaster1.xml.rels",
      relations([layout, relation("theme", "../theme/theme1.xml")]),
    ),
    entry(
      "ppt/slideLayouts/slideLayout1.xml",
      `<p:sldLayout ${names}><p:cSld><p:spTree>${emptyTree}</p:spTree></p:cSld></p:sldLayout>`,
    ),
    entry(
      "ppt/slideLayouts/_rels/slideLayout1.xml.rels",
      relations([relation("slideMaster", "../slideMasters/slideMaster1.xml")]),
    ),
    entry("ppt/theme/theme1.xml", theme),
  ];
  for (const [at, slide] of slides.entries()) {
    files.push(entry(`ppt/${slideName(at)}`, slideXml(slide)));
    files.push(entry(`ppt/slides/_rels/slide${at + 1}.xml.rels`, relations([layout])));
  }
  return zipOf(files);
}

function entry(name: string, content: string): ZipEntry {
  return { name, content: head + content };
}

type Relation = { readonly kind: string; readonly target: string };

function relation(kind: string, target: string): Relation {
  return { kind, target };
}

/** The first is `rId1`. */
function relations(list: readonly Relation[]): string {
  const lines = list.map(
    ({ kind, target }, at) =>
      `<Relationship Id="rId${at + 1}" Type="${document}/${kind}" Target="${target}"/>`,
  );
  return `<Relationships xmlns="${schemas}/package/2006/relationships">${lines.join("")}</Relationships>`;
}

function contentTypes(slides: readonly string[]): string {
  const kind = "application/vnd.openxmlformats-officedocument";
  const parts: readonly (readonly [string, string])[] = [
    ["presentation.xml", "presentationml.presentation.main"],
    ["slideMasters/slideMaster1.xml", "presentationml.slideMaster"],
    ["slideLayouts/slideLayout1.xml", "presentationml.slideLayout"],
    ["theme/theme1.xml", "theme"],
    ...slides.map((slide) => [slide, "presentationml.slide"] as const),
  ];
  const overrides = parts.map(
    ([part, type]) => `<Override PartName="/ppt/${part}" ContentType="${kind}.${type}+xml"/>`,
  );
  return (
    `<Types xmlns="${schemas}/package/2006/content-types">` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    `<Default Extension="xml" ContentType="application/xml"/>${overrides.join("")}</Types>`
  );
}

function presentation(slides: number): string {
  const ids = Array.from({ length: slides }, (_, at) => `<p:sldId id="${256 + at}" r:id="rId${at + 2}"/>`);
  return (
    `<p:presentation ${names}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst>` +
    `<p:sldIdLst>${ids.join("")}</p:sldIdLst><p:sldSz cx="12192000" cy="6858000"/>` +
    '<p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
  );
}

const map =
  '<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>';
const master =
  `<p:sldMaster ${names}><p:cSld><p:spTree>${emptyTree}</p:spTree></p:cSld>${map}` +
  '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst></p:sldMaster>';

const font = '<a:latin typeface="Calibri"/><a:ea typeface=""/><a:cs typeface=""/>';
const fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>';
const line = `<a:ln w="9525">${fill}</a:ln>`;
const effect = "<a:effectStyle><a:effectLst/></a:effectStyle>";
const theme =
  `<a:theme xmlns:a="${schemas}/drawingml/2006/main" name="Plain"><a:themeElements><a:clrScheme name="Plain">` +
  Object.entries(colours)
    .map(([name, value]) => `<a:${name}><a:srgbClr val="${value}"/></a:${name}>`)
    .join("") +
  `</a:clrScheme><a:fontScheme name="Plain"><a:majorFont>${font}</a:majorFont><a:minorFont>${font}</a:minorFont></a:fontScheme>` +
  `<a:fmtScheme name="Plain"><a:fillStyleLst>${fill.repeat(3)}</a:fillStyleLst><a:lnStyleLst>${line.repeat(3)}</a:lnStyleLst>` +
  `<a:effectStyleLst>${effect.repeat(3)}</a:effectStyleLst><a:bgFillStyleLst>${fill.repeat(3)}</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>`;

function slideXml({ title, text }: Slide): string {
  const title1 = shape({ id: 2, name: "Title", text: title, top: 457_200, height: 1_143_000, size: 4_000 });
  const body = shape({ id: 3, name: "Text", text, top: 1_828_800, height: 4_114_800, size: 2_000 });
  return `<p:sld ${names}><p:cSld><p:spTree>${emptyTree}${title1}${body}</p:spTree></p:cSld></p:sld>`;
}

type Shape = {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  readonly top: number;
  readonly height: number;
  /** Hundredths of a point. */
  readonly size: number;
};

function shape({ id, name, text, top, height, size }: Shape): string {
  return (
    `<p:sp><p:nvSpPr><p:cNvPr id="${id}" name="${name}"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr>` +
    `<a:xfrm><a:off x="838200" y="${top}"/><a:ext cx="10515600" cy="${height}"/></a:xfrm>` +
    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr wrap="square"/>' +
    `<a:p><a:r><a:rPr lang="en-US" sz="${size}"/><a:t>${escaped(text)}</a:t></a:r></a:p></p:txBody></p:sp>`
  );
}

const marks: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Without characters that XML does not have. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, " ")
    .replaceAll(/[&<>"]/g, (mark) => marks[mark] ?? mark);
}
