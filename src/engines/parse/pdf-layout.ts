/** A run of text as the page places it; lengths in points, y grows upwards. */
export type PdfItem = {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly size: number;
  /** The reader saw a line end after it. */
  readonly endsLine: boolean;
};

type Line = {
  text: string;
  readonly x: number;
  readonly y: number;
  /** Where it ends. */
  right: number;
  size: number;
  /** There is a gap in it as between columns. */
  hasGap: boolean;
};

/** Headings are longer than this rarely. */
const longestHeading = 160;

/** The size that most signs have. */
export function usualSize(items: readonly PdfItem[]): number {
  const signs = new Map<number, number>();
  for (const { text, size } of items) {
    const rounded = Math.round(size * 2) / 2;
    signs.set(rounded, (signs.get(rounded) ?? 0) + text.trim().length);
  }
  const [usual] = [...signs].sort(([, one], [, other]) => other - one);
  return usual?.[0] ?? 0;
}

/** A page as Markdown: paragraphs by the distance of lines, headings by size. Expects items in reading order. */
export function pageText(items: readonly PdfItem[], usual: number): string {
  const blocks: string[] = [];
  let paragraph: Line[] = [];
  const finish = (): void => {
    if (paragraph.length > 0) blocks.push(blockOf(paragraph, usual));
    paragraph = [];
  };
  for (const line of linesOf(items)) {
    const before = paragraph.at(-1);
    if (before !== undefined && !isContinued(before, line)) finish();
    paragraph.push(line);
  }
  finish();
  return blocks.join("\n\n");
}

function linesOf(items: readonly PdfItem[]): readonly Line[] {
  const lines: Line[] = [];
  let line: Line | undefined;
  for (const item of items) {
    const isBlank = item.text.trim() === "";
    if (line !== undefined && !isBlank && !isOn(line, item)) line = undefined;
    if (line === undefined && !isBlank) {
      line = { text: "", x: item.x, y: item.y, right: item.x, size: item.size, hasGap: false };
      lines.push(line);
    }
    if (line !== undefined) extend(line, item, isBlank);
    if (item.endsLine) line = undefined;
  }
  return lines.map((one) => ({ ...one, text: one.text.trim() }));
}

function isOn(line: Line, { y, size }: PdfItem): boolean {
  return Math.abs(line.y - y) <= 0.5 * Math.max(line.size, size);
}

function extend(line: Line, { text, x, width, size }: PdfItem, isBlank: boolean): void {
  const isGap = isBlank && text !== "" && width > 1.5 * line.size;
  line.hasGap ||= isGap;
  line.text += isGap ? "    " : text;
  if (isBlank) return;
  line.size = Math.max(line.size, size);
  line.right = Math.max(line.right, x + width);
}

function isContinued(before: Line, line: Line): boolean {
  const distance = before.y - line.y;
  const size = Math.max(before.size, line.size);
  const isSameSize = Math.abs(before.size - line.size) < 0.15 * size;
  return isSameSize && distance > 0 && distance < 1.6 * size && !/^[•▪●◦‣]/.test(line.text);
}

function blockOf(lines: readonly Line[], usual: number): string {
  const [first] = lines;
  const text = lines.some((line) => line.hasGap) ? lines.map((line) => line.text).join("\n") : flowing(lines);
  const scale = usual > 0 ? (first?.size ?? 0) / usual : 1;
  if (scale >= 1.2 && text.length <= longestHeading)
    return `${headingMark(scale)} ${text.replaceAll(/\s+/g, " ")}`;
  return text.replace(/^[•▪●◦‣]\s*/, "- ");
}

function headingMark(scale: number): string {
  if (scale >= 1.8) return "#";
  return scale >= 1.4 ? "##" : "###";
}

/** In narrow blocks (tables, addresses, verses) each line stands for itself. In sizes of the text. */
const narrow = 15;
/** A line that ends before this share of its block's width was ended on purpose. */
const fullShare = 0.75;

/** Lines that were only broken to fit become one again; a word that was divided at a line's end as well. */
function flowing(lines: readonly Line[]): string {
  const left = Math.min(...lines.map((line) => line.x));
  const width = Math.max(...lines.map((line) => line.right)) - left;
  let text = "";
  let before: Line | undefined;
  for (const line of lines) {
    const isBroken =
      before !== undefined && width >= narrow * line.size && before.right - left >= fullShare * width;
    if (before === undefined) text = line.text;
    else if (/\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(line.text)) text = text.slice(0, -1) + line.text;
    else text += (isBroken ? " " : "\n") + line.text;
    before = line;
  }
  return text;
}
