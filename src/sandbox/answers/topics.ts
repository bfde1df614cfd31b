/** Words that say nothing about what a prompt is about. */
const smallWords = new Set(
  (
    "a about after all also am an and answer any are as ask at be been both briefly but by call can " +
    "compare could describe detail did do does each exactly explain find for from get give had has " +
    "have he hello help her here him his how i if in into is it its just let like list look make many " +
    "may me more most much must my name need no not now of on one only or other our out over please " +
    "question reply return say she short should show simple so some summarize tell than thanks that " +
    "the their them then there these they think this those three to translate two up us use using " +
    "very want was we were what when where which who whom why will with would write yes you your"
  ).split(" "),
);

const word = /[\p{L}][\p{L}\p{N}]{1,24}/gu;
const properName = /\p{Lu}[\p{L}\p{N}'’-]+(?:\s\p{Lu}[\p{L}\p{N}'’-]+)*/gu;
const quoted = /["“«„]([^"”»“\n]{1,80})["”»“]/g;
const lastPair = /([\p{L}\p{N}-]{2,30}),? (?:and|und|et|y|&) ([\p{L}\p{N}-]{2,30})(?=[.?!]|$)/u;

/** Only the beginning of a long prompt is looked at: topics are a hint, and looking costs time. */
const looksAt = 4_000;

export type Topics = {
  /** The telling words of a prompt in their order, each once, at most twelve. */
  readonly words: readonly string[];
  /** Names and quoted things: what a tool is probably to be called with. At most eight. */
  readonly things: readonly string[];
  /** Two or more things that are asked for side by side ("Paris and London", "both", "three times"). */
  readonly asked: number;
};

export function topicsOf(prompt: string): Topics {
  const text = prompt.length > looksAt ? prompt.slice(0, looksAt) : prompt;
  const things = thingsIn(text);
  return { words: wordsIn(text), things, asked: askedFor(text, things) };
}

function wordsIn(text: string): readonly string[] {
  const found = new Map<string, string>();
  for (const [match] of text.matchAll(word)) {
    const plain = match.toLowerCase();
    if (!smallWords.has(plain) && !found.has(plain)) found.set(plain, match);
    if (found.size === 12) break;
  }
  return [...found.values()];
}

function thingsIn(text: string): readonly string[] {
  const things = new Set<string>();
  for (const [, inside = ""] of text.matchAll(quoted)) things.add(inside);
  for (const match of text.matchAll(properName)) {
    const name = nameIn(match[0], text, match.index);
    if (name !== undefined) things.add(name);
  }
  if (things.size < 2) for (const side of lastPair.exec(text)?.slice(1) ?? []) things.add(side);
  return [...things].slice(0, 8);
}

/** A sentence begins with a capital letter whatever its first word is: such a word alone is no name. */
function nameIn(match: string, text: string, at: number): string | undefined {
  const words = match.split(/\s/);
  while (smallWords.has((words[0] ?? "-").toLowerCase())) words.shift();
  const startsSentence = /(?:^|[.!?:]\s+)$/.test(text.slice(Math.max(0, at - 3), at));
  const isJoined = /^(?:,| and\b| und\b| et\b)/.test(text.slice(at + match.length));
  if (words.length === 0 || (startsSentence && words.length === 1 && !isJoined)) return undefined;
  return words.join(" ");
}

function askedFor(text: string, things: readonly string[]): number {
  const counted = /\b(?:(two|both|twice|2)|(three|3)) \p{L}|\b(both|twice)\b/iu.exec(text);
  if (counted !== null) return counted[2] === undefined ? 2 : 3;
  return things.length > 1 && /,|;|&|\b(?:and|und|et|y)\b/u.test(text) ? things.length : 1;
}
