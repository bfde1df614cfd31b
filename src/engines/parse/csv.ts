import { markdownTable } from "../scrape/table-text.ts";
import { documentFault } from "./document-fault.ts";
import { cellText, mostCells } from "./sheet-table.ts";

const separators = [",", ";", "\t", "|"] as const;

/** A table of separated values as a Markdown table. The separator is the one that divides the first lines best. */
export function csvToMarkdown(text: string): string {
  const rows = readCsv(text, separatorOf(text)).filter((row) => row.some((value) => value.trim() !== ""));
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  if (width * rows.length > mostCells) throw documentFault("The table is too large.");
  return markdownTable(rows.map((row) => row.map(cellText))) ?? "";
}

function separatorOf(text: string): string {
  const lines = text.slice(0, 20_000).split(/\r?\n/, 11).slice(0, 10);
  let best: { readonly separator: string; readonly score: number } = { separator: ",", score: 0 };
  for (const separator of separators) {
    const counts = lines.filter((line) => line !== "").map((line) => line.split(separator).length - 1);
    const least = Math.min(...counts);
    const score = (Number.isFinite(least) ? least : 0) * 1000 + counts.reduce((sum, count) => sum + count, 0);
    if (score > best.score) best = { separator, score };
  }
  return best.separator;
}

/** RFC 4180, with any line ends and any separator. */
function readCsv(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const quoted = text[at] === '"' ? quotedValue(text, at) : { value: "", end: at };
    // What follows a closing quote belongs to the value as well.
    const { value, end } = plainValue(text, quoted.end, separator);
    row.push(quoted.value + value);
    at = end;
    if (text[at] === separator) {
      at += 1;
      if (at === text.length) row.push("");
      continue;
    }
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

type Value = { readonly value: string; readonly end: number };

function plainValue(text: string, start: number, separator: string): Value {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return { value: text.slice(start, end), end };
}

function quotedValue(text: string, start: number): Value {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return { value: value + text.slice(at), end: text.length };
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}
