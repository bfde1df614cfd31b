import { markdownTable } from "../scrape/table-text.ts";
import type { Archive } from "./archive.ts";
import { documentFault } from "./document-fault.ts";
import type { DocumentReading } from "./document-section.ts";
import { mainPart, relationsOf } from "./office-parts.ts";
import { pagesWithin } from "./page-range.ts";
import type { PagesWanted } from "./page-range.ts";
import { dateStylesIn, dateText } from "./sheet-dates.ts";
import { cellText, mostCells } from "./sheet-table.ts";
import { readXml } from "./xml-reader.ts";
import type { XmlEvent } from "./xml-reader.ts";

/** Each sheet as a table; rows and columns without a value are left out. Formulas show their last result. */
export function readXlsx(archive: Archive, pages: PagesWanted): DocumentReading {
  const workbook = mainPart(archive) ?? "xl/workbook.xml";
  const { sheets, isFrom1904 } = readWorkbook(archive, workbook);
  const relations = relationsOf(archive, workbook);
  const partOf = (kind: string): string => {
    const part = [...relations.values()].find((relation) => relation.kind === kind)?.target;
    return (part === undefined ? undefined : archive.text(part)) ?? "";
  };
  const book: Book = {
    texts: sharedTexts(partOf("sharedStrings")),
    dateStyles: dateStylesIn(partOf("styles")),
    isFrom1904,
  };
  const numbers = pagesWithin(pages, sheets.length);
  const sections = numbers.map((page) => {
    const sheet = sheets[page - 1];
    const target = relations.get(sheet?.id ?? "")?.target;
    const table = sheetTable((target === undefined ? undefined : archive.text(target)) ?? "", book);
    return { content: [`## ${sheet?.name ?? ""}`, table ?? ""].join("\n\n").trim(), page };
  });
  return { sections, pages: sections.length };
}

type Book = {
  readonly texts: readonly string[];
  readonly dateStyles: ReadonlySet<number>;
  readonly isFrom1904: boolean;
};

type Sheet = { readonly name: string; readonly id: string };

function readWorkbook(
  archive: Archive,
  part: string,
): { readonly sheets: readonly Sheet[]; readonly isFrom1904: boolean } {
  const sheets: Sheet[] = [];
  let isFrom1904 = false;
  for (const event of readXml(archive.text(part) ?? "")) {
    if (event.kind !== "open") continue;
    if (event.name === "workbookPr") isFrom1904 = /^(?:1|true)$/.test(event.attribute("date1904") ?? "");
    if (event.name === "sheet")
      sheets.push({ name: event.attribute("name") ?? "", id: event.prefixed("id") ?? "" });
  }
  if (sheets.length === 0) throw documentFault("The workbook has no sheets.");
  return { sheets, isFrom1904 };
}

/** The texts that cells refer to by number. Readings of their signs (furigana) are no part of them. */
function sharedTexts(xml: string): readonly string[] {
  const texts: string[] = [];
  let text = "";
  let isText = false;
  let isReading = false;
  for (const event of readXml(xml)) {
    if (event.kind === "text") {
      if (isText && !isReading) text += event.text;
      continue;
    }
    const isOpen = event.kind === "open";
    if (event.name === "t") isText = isOpen;
    else if (event.name === "rPh") isReading = isOpen;
    else if (event.name === "si") {
      if (!isOpen) texts.push(text);
      text = "";
    }
  }
  return texts;
}

type Cell = { readonly column: number; readonly kind: string; readonly style: number };

const noCell: Cell = { column: 0, kind: "n", style: 0 };

/** Column → text. */
type SheetRow = Map<number, string>;

function sheetTable(xml: string, book: Book): string | undefined {
  const rows = sheetRows(xml, book);
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))].sort((one, other) => one - other);
  if (rows.length * columns.length > mostCells) throw documentFault("A sheet is too large.");
  return markdownTable(rows.map((row) => columns.map((column) => row.get(column))));
}

function sheetRows(xml: string, book: Book): readonly SheetRow[] {
  const rows: SheetRow[] = [];
  let row: SheetRow = new Map();
  let cell = noCell;
  let value = "";
  let isValue = false;
  for (const event of readXml(xml)) {
    if (event.kind === "text") {
      if (isValue) value += event.text;
      continue;
    }
    switch (`${event.kind} ${event.name}`) {
      case "open v":
      case "open t":
        isValue = true;
        break;
      case "close v":
      case "close t":
        isValue = false;
        break;
      case "open row":
        row = new Map();
        rows.push(row);
        cell = noCell;
        break;
      case "open c":
        cell = cellOf(event, cell.column);
        value = "";
        break;
      case "close c":
        addCell(row, cell, shownValue(value, cell, book));
    }
  }
  return rows.filter(({ size }) => size > 0);
}

function addCell(row: SheetRow, { column }: Cell, value: string): void {
  const text = cellText(value);
  if (text !== "") row.set(column, text);
}

function cellOf(event: XmlEvent, columnBefore: number): Cell {
  const attribute = event.kind === "open" ? event.attribute : () => undefined;
  return {
    column: columnNumber(attribute("r")) ?? columnBefore + 1,
    kind: attribute("t") ?? "n",
    style: Number(attribute("s") ?? 0),
  };
}

/** `AB12` → 28. */
function columnNumber(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? "")?.[0];
  if (letters === undefined) return undefined;
  let number = 0;
  for (const letter of letters) number = number * 26 + letter.charCodeAt(0) - 64;
  return number;
}

function shownValue(value: string, { kind, style }: Cell, book: Book): string {
  switch (kind) {
    case "s":
      return book.texts[Number(value)] ?? "";
    case "b":
      return value === "1" ? "TRUE" : "FALSE";
    case "n":
      if (value === "" || !book.dateStyles.has(style)) return value;
      return dateText(Number(value), book.isFrom1904) ?? value;
    default:
      return value;
  }
}
