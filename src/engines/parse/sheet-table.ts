/** A cell's value as it stands in a Markdown table. */
export function cellText(value: string): string {
  return value.trim().replaceAll(/\s*\r?\n\s*/g, "<br>");
}

/** Of one table once it is written out, empty cells included. */
export const mostCells = 1_000_000;
