/**
 * Rows as a Markdown table, the first one as its header; short rows are filled up. Undefined when there is nothing in
 * it. The texts are Markdown already, of one line each.
 */
export function markdownTable(rows: readonly (readonly (string | undefined)[])[]): string | undefined {
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  if (width === 0 || rows.every((row) => row.every((text) => text === undefined || text === "")))
    return undefined;
  const [header = [], ...body] = rows.map((row) => line(row, width));
  const rule = `| ${Array.from({ length: width }, () => "---").join(" | ")} |`;
  return [header, rule, ...body].join("\n");
}

function line(row: readonly (string | undefined)[], width: number): string {
  const texts = Array.from({ length: width }, (_, column) => (row[column] ?? "").replaceAll("|", "\\|"));
  return `| ${texts.join(" | ")} |`;
}
