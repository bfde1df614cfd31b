import type { MarkdownRule } from "./markdown.ts";
import type { PageElement } from "./page-document.ts";
import { markdownTable } from "./table-text.ts";

/** Wider tables are no tables but layouts, or an attack. */
const mostColumns = 200;
const mostSlots = 200_000;

/**
 * Tables in GitHub's form. The cells are converted before their table is, so each table keeps what its cells became;
 * a table that only arranges a page gives its content as it comes.
 */
export function tableRules(): readonly (readonly [string, MarkdownRule])[] {
  const contents = new WeakMap<PageElement, string>();
  const cell = (content: string, node: PageElement): string => {
    contents.set(node, content);
    return `\n\n${content.trim()}\n\n`;
  };
  const table = (content: string, node: PageElement): string => {
    const rows = rowsOf(node);
    if (!isData(node, rows)) return `\n\n${content}\n\n`;
    const grid = gridOf(rows, (one) => cellText(contents.get(one) ?? ""));
    const text = grid === undefined ? undefined : markdownTable(grid);
    if (text === undefined) return `\n\n${content}\n\n`;
    const caption = childrenNamed(node, ["CAPTION"])[0]?.textContent.replaceAll(/\s+/g, " ").trim() ?? "";
    return `\n\n${caption === "" ? "" : `**${caption}**\n\n`}${text}\n\n`;
  };
  return [
    ["tableCell", { filter: ["th", "td"], replacement: cell }],
    ["tablePart", { filter: ["tr", "thead", "tbody", "tfoot"], replacement: (content) => content }],
    ["tableCaption", { filter: ["caption"], replacement: (content) => `\n\n${content.trim()}\n\n` }],
    ["tableColumns", { filter: ["colgroup", "col"], replacement: () => "" }],
    ["table", { filter: "table", replacement: table }],
  ];
}

type Row = readonly PageElement[];

function childrenNamed(element: PageElement, names: readonly string[]): readonly PageElement[] {
  return element.children.filter((child) => names.includes(child.tagName));
}

/** Of this table alone, not of tables within its cells. */
function rowsOf(table: PageElement): readonly Row[] {
  const parts = childrenNamed(table, ["THEAD", "TBODY", "TFOOT"]);
  return [table, ...parts]
    .flatMap((part) => childrenNamed(part, ["TR"]))
    .map((row) => childrenNamed(row, ["TH", "TD"]))
    .filter((row) => row.length > 0);
}

function isData(table: PageElement, rows: readonly Row[]): boolean {
  const role = table.getAttribute("role");
  if (role === "presentation" || role === "none") return false;
  if (table.querySelector("table, pre, h1, h2, h3, blockquote") !== null) return false;
  return rows.length > 1 ? rows.some((row) => row.length > 1) : table.querySelector("th") !== null;
}

function cellText(content: string): string {
  return content.trim().replaceAll(/\s*\n\s*/g, "<br>");
}

/** The texts in their places, spans filled with nothing; undefined when it is too large. */
function gridOf(rows: readonly Row[], textOf: (cell: PageElement) => string): string[][] | undefined {
  const grid: string[][] = rows.map(() => []);
  let slots = 0;
  for (const [line, row] of rows.entries()) {
    let column = 0;
    for (const cell of row) {
      while (grid[line]?.[column] !== undefined) column += 1;
      const width = spanOf(cell, "colspan");
      const height = Math.min(spanOf(cell, "rowspan"), rows.length - line);
      slots += width * height;
      if (column + width > mostColumns || slots > mostSlots) return undefined;
      fill(grid, { line, column, width, height }, textOf(cell));
      column += width;
    }
  }
  return grid;
}

type Slot = {
  readonly line: number;
  readonly column: number;
  readonly width: number;
  readonly height: number;
};

function fill(grid: string[][], { line, column, width, height }: Slot, text: string): void {
  for (let down = 0; down < height; down++) {
    for (let right = 0; right < width; right++) {
      const cells = grid[line + down];
      if (cells !== undefined) cells[column + right] = down === 0 && right === 0 ? text : "";
    }
  }
}

function spanOf(cell: PageElement, attribute: "colspan" | "rowspan"): number {
  const span = Number.parseInt(cell.getAttribute(attribute) ?? "1", 10);
  return Number.isInteger(span) && span > 1 ? span : 1;
}
