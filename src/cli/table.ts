import { oneLine, widthOf } from "./terminal-text.ts";

export type Column = { readonly title: string; readonly align?: "right"; readonly leastWidth?: number };

export type Row = readonly string[];

/** Rows in aligned columns below their titles, two spaces apart, with a line feed after each. */
export function table(columns: readonly Column[], rows: readonly Row[]): string {
  return aligned(columns, [columns.map((column) => column.title), ...rows]);
}

/** Further rows of a table whose columns have least widths. */
export function tableRows(columns: readonly Column[], rows: readonly Row[]): string {
  return aligned(columns, rows);
}

/** Names and values, one pair a line. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  return aligned([{ title: "" }, { title: "" }], rows);
}

function aligned(columns: readonly Column[], rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = columns.map((column, index) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[index] ?? "")), column.leastWidth ?? 0),
  );
  const lines = cells.map((row) =>
    columns
      .map((column, index) => {
        const text = row[index] ?? "";
        const padding = " ".repeat((widths[index] ?? 0) - widthOf(text));
        return column.align === "right" ? padding + text : text + padding;
      })
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join("");
}
