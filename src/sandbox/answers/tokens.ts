/**
 * Real token counts (o200k). The tables take about 150 ms to load, so they are loaded with the first question, not at
 * start. The tokenizer is quadratic in the length of a run without a boundary, white space included: 20,000 equal
 * characters take 0.2 s. Runs are therefore cut into pieces of 256 characters first.
 */
const longestRun = 256;
const longRun = new RegExp(`\\S{${longestRun}}(?=\\S)|\\s{${longestRun}}(?=\\s)`, "gu");

/** Long texts are counted in slices with a turn of the event loop between them, about 6 ms each. */
const sliceLength = 65_536;

/** A special token's name inside a text is text. */
const asText = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/** A stretch of text and how many tokens it is: one, except where one character needs several. */
export type Piece = { readonly text: string; readonly tokens: number };

export type Tokenizer = {
  /** Blocks for as long as it takes: for texts of our own making. */
  readonly count: (text: string) => number;
  /** Never blocks for long. */
  readonly countAll: (texts: Iterable<string>) => Promise<number>;
  /** The text cut at its token bounds; joined again it is the same text. */
  readonly pieces: (text: string) => readonly Piece[];
};

type Encoding = {
  encode(text: string, options: typeof asText): number[];
  countTokens(text: string, options: typeof asText): number;
  decode(tokens: number[]): string;
};

let loading: Promise<Tokenizer> | undefined;

export function loadTokenizer(): Promise<Tokenizer> {
  loading ??= import("gpt-tokenizer/encoding/o200k_base").then(tokenizerOver);
  return loading;
}

function tokenizerOver(encoding: Encoding): Tokenizer {
  const count = (text: string): number =>
    runsOf(text).reduce((sum, run) => sum + encoding.countTokens(run, asText), 0);
  return {
    count,
    async countAll(texts) {
      let sum = 0;
      let sinceTurn = 0;
      for (const text of texts) {
        for (const slice of slicesOf(text)) {
          sum += count(slice);
          sinceTurn += slice.length;
          if (sinceTurn < sliceLength) continue;
          sinceTurn = 0;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      return sum;
    },
    pieces: (text) => runsOf(text.toWellFormed()).flatMap((run) => piecesOf(run, encoding)),
  };
}

function runsOf(text: string): readonly string[] {
  if (text.length <= longestRun) return text === "" ? [] : [text];
  const runs: string[] = [];
  let from = 0;
  for (const match of text.matchAll(longRun)) {
    const to = match.index + match[0].length;
    runs.push(text.slice(from, to));
    from = to;
  }
  runs.push(text.slice(from));
  return runs;
}

/** Cuts before a single space, where o200k has a bound anyway; in mid-word only when there is no space for long. */
function* slicesOf(text: string): Generator<string> {
  let from = 0;
  while (text.length - from > sliceLength) {
    const space = /\w (?=\w)/.exec(text.slice(from + sliceLength, from + sliceLength + 1_024));
    const to = from + sliceLength + (space === null ? 0 : space.index + 1);
    yield text.slice(from, to);
    from = to;
  }
  yield text.slice(from);
}

function piecesOf(run: string, encoding: Encoding): readonly Piece[] {
  const pieces: Piece[] = [];
  let waiting: number[] = [];
  let at = 0;
  for (const token of encoding.encode(run, asText)) {
    waiting.push(token);
    const text = encoding.decode(waiting);
    if (!run.startsWith(text, at)) continue;
    pieces.push({ text, tokens: waiting.length });
    at += text.length;
    waiting = [];
  }
  return pieces;
}

/** Single tokens that complete a text which cannot be cut at exactly the wanted place. */
const filling: Piece = { text: " and", tokens: 1 };

/** The first `limit` tokens exactly. A character that would be torn is replaced by filling words. */
export function cutTo(pieces: readonly Piece[], limit: number): readonly Piece[] {
  const kept: Piece[] = [];
  let tokens = 0;
  for (const piece of pieces) {
    if (tokens + piece.tokens > limit) {
      while (tokens < limit) {
        kept.push(filling);
        tokens += 1;
      }
      break;
    }
    kept.push(piece);
    tokens += piece.tokens;
  }
  return kept;
}

export function tokensIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.tokens, 0);
}

export function textOf(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join("");
}
