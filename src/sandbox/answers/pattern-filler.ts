import type { Effort } from "./effort.ts";
import { between, pick } from "./random.ts";
import type { Random } from "./random.ts";

/**
 * Makes a text that a regular expression matches, for the expressions people write in schemas: literals, classes,
 * groups, alternatives, quantifiers, anchors. Undefined for what it does not know (look-around, back references); what
 * must not follow is only guessed at.
 * The expression itself is never executed: a stranger's pattern may take forever.
 */
export function fillPattern(pattern: string, length: Length, by: Means): string | undefined {
  const reader: Reader = { pattern: pattern.slice(0, 1_000), at: 0 };
  let tree: Part;
  try {
    tree = readAlternatives(reader);
    if (reader.at < reader.pattern.length) return undefined;
  } catch (reason) {
    if (reason instanceof UnknownSyntax) return undefined;
    throw reason;
  }
  const make = (extra: number): string => {
    const left = { steps: Math.min(mostSteps, by.effort.left) };
    const before = left.steps;
    const made = tree({ random: by.random, extra, left });
    by.effort.left -= before - left.steps;
    return made;
  };
  const made = fitting(make, length);
  const missing = length.least - Array.from(made).length;
  return missing > 0 && isOpenEnded(pattern) ? made + "a".repeat(missing) : made;
}

/** What may follow a match anyway: the pattern has no end and no word bound. */
function isOpenEnded(pattern: string): boolean {
  return !/\$|\\b/i.test(pattern);
}

type Means = { readonly random: Random; readonly effort: Effort };

/** Characters, about, that one text is made of at most. */
const mostSteps = 20_000;

/** Tries more and more repetitions until the text is long enough, then halves the step until it is not too long. */
function fitting(make: (extra: number) => string, length: Length): string {
  let [low, high] = [0, 2_048];
  let made = "";
  for (let extra = 0, tries = 0; tries < 40 && high - low > 0; tries += 1) {
    made = make(extra);
    const characters = Array.from(made).length;
    if (characters >= length.least && characters <= length.most) return made;
    if (characters > length.most) high = extra;
    else if (tries > 2) low = extra;
    if (high < 2_048) extra = Math.floor((low + high) / 2);
    else extra = Math.max(1, extra * 2);
  }
  return made;
}

export type Length = { readonly least: number; readonly most: number };

class UnknownSyntax extends Error {}

type Reader = { readonly pattern: string; at: number };
/** `extra` repetitions are made beyond the fewest where a quantifier allows it; `left` bounds the work. */
type Making = { readonly random: Random; readonly extra: number; readonly left: { steps: number } };
type Part = (making: Making) => string;

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyz";
const wordCharacters = `${letters}${letters.toUpperCase()}${digits}_`;
const printable = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).join("");

function readAlternatives(reader: Reader): Part {
  const alternatives: Part[] = [readSequence(reader)];
  while (reader.pattern[reader.at] === "|") {
    reader.at += 1;
    alternatives.push(readSequence(reader));
  }
  const [first] = alternatives;
  if (first === undefined) throw new UnknownSyntax();
  return (making) => pick(making.random, alternatives, first)(making);
}

function readSequence(reader: Reader): Part {
  const parts: Part[] = [];
  while (reader.at < reader.pattern.length && !"|)".includes(reader.pattern.charAt(reader.at))) {
    parts.push(readQuantified(reader));
  }
  return (making) => parts.map((part) => part(making)).join("");
}

function readQuantified(reader: Reader): Part {
  const part = readAtom(reader);
  const rest = reader.pattern.slice(reader.at);
  const match = /^(?:([?*+])|\{(\d{1,4})(,(\d{0,4}))?\})[?+]?/.exec(rest);
  if (match === null) return part;
  reader.at += match[0].length;
  const [, sign, low, comma, high] = match;
  const least = sign === undefined ? Number(low) : Number(sign === "+");
  let most = sign === "?" ? 1 : Number.POSITIVE_INFINITY;
  if (sign === undefined && comma === undefined) most = least;
  if (high !== undefined && high !== "") most = Number(high);
  return (making) => {
    const wanted = least + (making.extra === 0 ? between(making.random, 0, 2) : making.extra);
    let made = "";
    for (let count = Math.min(wanted, most); count > 0 && making.left.steps > 0; count -= 1) {
      making.left.steps -= 1;
      made += part(making);
    }
    return made;
  };
}

function readAtom(reader: Reader): Part {
  const character = String.fromCodePoint(reader.pattern.codePointAt(reader.at) ?? 0);
  reader.at += character.length;
  switch (character) {
    case "^":
    case "$":
      return () => "";
    case ".":
      return oneOf(letters);
    case "(":
      return readGroup(reader);
    case "[":
      return readClass(reader);
    case "\\":
      return readEscape(reader);
    case "*":
    case "+":
    case "?":
      throw new UnknownSyntax();
    default:
      return () => character;
  }
}

function readGroup(reader: Reader): Part {
  const opening = /^\?(?:[:!]|<[A-Za-z]\w*>)/.exec(reader.pattern.slice(reader.at));
  if (opening === null && reader.pattern[reader.at] === "?") throw new UnknownSyntax();
  reader.at += opening?.[0].length ?? 0;
  const inside = readAlternatives(reader);
  if (reader.pattern[reader.at] !== ")") throw new UnknownSyntax();
  reader.at += 1;
  // What must not follow seldom does.
  return opening?.[0] === "?!" ? () => "" : inside;
}

function readEscape(reader: Reader): Part {
  const characters = escaped(reader);
  return characters === "" ? () => "" : oneOf(characters);
}

/** The characters an escape may stand for; none for a word bound. */
function escaped(reader: Reader): string {
  const letter = reader.pattern.charAt(reader.at);
  reader.at += 1;
  const known: Readonly<Record<string, string>> = {
    d: digits,
    D: letters,
    w: wordCharacters,
    W: "-",
    s: " ",
    S: letters,
    n: "\n",
    r: "\r",
    t: "\t",
    f: "\f",
    v: "\v",
    b: "",
  };
  if (Object.hasOwn(known, letter)) return known[letter] ?? "";
  const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(letter + reader.pattern.slice(reader.at));
  if (code !== null) {
    reader.at += code[0].length - 1;
    return String.fromCharCode(Number.parseInt(code[1] ?? code[2] ?? "", 16));
  }
  const property = /^p\{(Lu|L|Ll|N|Nd|Letter|Alphabetic)\}/.exec(letter + reader.pattern.slice(reader.at));
  if (property !== null) {
    reader.at += property[0].length - 1;
    if (property[1]?.startsWith("N") === true) return digits;
    return property[1] === "Lu" ? letters.toUpperCase() : letters;
  }
  if (letter === "" || /[A-Za-z0-9]/.test(letter)) throw new UnknownSyntax();
  return letter;
}

function readClass(reader: Reader): Part {
  const isNegated = reader.pattern[reader.at] === "^";
  if (isNegated) reader.at += 1;
  let members = "";
  while (reader.pattern[reader.at] !== "]") {
    if (reader.at >= reader.pattern.length) throw new UnknownSyntax();
    members += readMembers(reader);
  }
  reader.at += 1;
  if (!isNegated) return oneOf(members);
  const others = Array.from(`${letters}${printable} `).filter((character) => !members.includes(character));
  return oneOf(others.join(""));
}

function readMembers(reader: Reader): string {
  const first = readMember(reader);
  const isRange = reader.pattern[reader.at] === "-" && !"]".includes(reader.pattern.charAt(reader.at + 1));
  if (!isRange || Array.from(first).length !== 1) return first;
  reader.at += 1;
  const low = first.codePointAt(0) ?? 0;
  const high = readMember(reader).codePointAt(0) ?? low;
  if (high < low) throw new UnknownSyntax();
  const size = Math.min(high - low + 1, 128);
  return Array.from({ length: size }, (_, at) => String.fromCodePoint(low + at)).join("");
}

function readMember(reader: Reader): string {
  const character = String.fromCodePoint(reader.pattern.codePointAt(reader.at) ?? 0);
  reader.at += character.length;
  return character === "\\" ? escaped(reader) : character;
}

function oneOf(characters: string): Part {
  const choices = Array.from(characters);
  if (choices.length === 0) throw new UnknownSyntax();
  return ({ random }) => pick(random, choices, "");
}
