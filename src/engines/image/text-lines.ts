/**
 * How wide a text will be, without a font: as wide as in DejaVu Sans, which is wider than nearly all others, so that what
 * is estimated to fit does fit. In parts of the font size.
 */
export function estimatedWidth(text: string, isBold: boolean): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width * (isBold ? 1.12 : 1);
}

const groups: readonly (readonly [string, number])[] = [
  ["ijlI.,:;'`|!", 0.34],
  [' ftr()[]\\/"-', 0.44],
  ["mMW@%", 1],
  ["wABCDEFGHJKLNOPQRSTUVXYZ&+=<>~#^", 0.84],
];

/** By their codes; of ASCII, what is in no group is as wide as most letters and digits. */
const asciiWidths: readonly number[] = Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return groups.find(([chars]) => chars.includes(char))?.[1] ?? 0.66;
});

/** The letters of most alphabets are as wide as our capitals; ideographs, pictures and whatever else are square. */
function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  const known = asciiWidths[code];
  if (known !== undefined) return known;
  if (/[\p{Mn}\p{Me}\u200b-\u200d]/u.test(char)) return 0;
  return code < 0xe00 || (code >= 0x1e00 && code < 0x2000) ? 0.86 : 1.15;
}

type Wrapping = {
  /** In parts of the font size. */
  readonly maxWidth: number;
  readonly isBold: boolean;
};

/** The lines of a text: its own line breaks are kept, words that are too long are cut. */
export function wrappedLines(text: string, wrapping: Wrapping): readonly string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).flatMap((paragraph) => wrapParagraph(paragraph, wrapping));
}

function wrapParagraph(paragraph: string, { maxWidth, isBold }: Wrapping): readonly string[] {
  const lines: string[] = [];
  let line = "";
  let width = 0;
  for (const word of paragraph.split(/(?<=\s)(?=\S)|(?<=[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef])/u)) {
    const wordWidth = estimatedWidth(word.trimEnd(), isBold);
    if (width + wordWidth > maxWidth && line !== "") {
      lines.push(line.trimEnd());
      line = "";
      width = 0;
    }
    if (wordWidth <= maxWidth) {
      line += word;
      width += estimatedWidth(word, isBold);
      continue;
    }
    const pieces = cutWord(word, { maxWidth, isBold });
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? "";
    width = estimatedWidth(line, isBold);
  }
  return [...lines, line.trimEnd()];
}

function cutWord(word: string, { maxWidth, isBold }: Wrapping): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(word)) {
    const added = estimatedWidth(segment, isBold);
    if (width + added > maxWidth && piece !== "") {
      pieces.push(piece);
      piece = "";
      width = 0;
    }
    piece += segment;
    width += added;
  }
  return [...pieces, piece];
}
