export type JsonObject = Readonly<Record<string, unknown>>;

/** True for what `JSON.parse` makes of `{…}`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How much a document may hold. The object itself is depth 1; every container and every comma is one node. */
export type JsonBounds = { readonly maxDepth: number; readonly maxNodes: number };

/** Top-level member → its value's JSON text exactly as sent, in the order sent. The map is the caller's own. */
export type ScannedObject = { readonly fault: undefined; readonly members: Map<string, string> };

export type ScanFault = {
  readonly fault: "not_object" | "malformed" | "duplicate" | "too_deep" | "too_many";
  /** The member that occurs twice. */
  readonly key: string | undefined;
};

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Finds the top-level members of a JSON object in one pass over its text. For every text that `JSON.parse` takes as an
 * object it finds the same keys, or tells why not (a key twice, out of bounds). The values are not validated:
 * parse the text as well before trusting it. Linear in time and without recursion, whatever the text.
 */
export function scanJsonObject(text: string, bounds: JsonBounds): ScannedObject | ScanFault {
  const members = new Map<string, string>();
  const counter = { left: bounds.maxNodes - 1, maxDepth: bounds.maxDepth };
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== openBrace) return faultOf("not_object");
  if (bounds.maxDepth < 1) return faultOf("too_deep");
  if (counter.left < 0) return faultOf("too_many");
  at = skipSpace(text, at + 1);
  if (text.charCodeAt(at) === closeBrace) return ended(text, at, members);
  for (;;) {
    const end = scanMember(text, at, { members, counter });
    if (typeof end !== "number") return end;
    const next = text.charCodeAt(end);
    if (next === closeBrace) return ended(text, end, members);
    if (next !== comma) return faultOf("malformed");
    if (--counter.left < 0) return faultOf("too_many");
    at = skipSpace(text, end + 1);
  }
}

type Scan = { readonly members: Map<string, string>; readonly counter: Counter };

/** The position of what follows the member and its space. */
function scanMember(text: string, start: number, { members, counter }: Scan): number | ScanFault {
  const keyEnd = text.charCodeAt(start) === quote ? endOfString(text, start) : -1;
  const key = keyEnd === -1 ? undefined : readKey(text, start, keyEnd);
  if (key === undefined) return faultOf("malformed");
  if (members.has(key)) return { fault: "duplicate", key };
  const colonAt = skipSpace(text, keyEnd);
  if (text.charCodeAt(colonAt) !== colon) return faultOf("malformed");
  const valueStart = skipSpace(text, colonAt + 1);
  const valueEnd = endOfValue(text, valueStart, counter);
  if (typeof valueEnd === "string") return faultOf(valueEnd);
  if (counter.left < 0) return faultOf("too_many");
  members.set(key, text.slice(valueStart, valueEnd));
  return skipSpace(text, valueEnd);
}

/** An object's JSON text from the texts of its members, which are taken as they are. */
export function writeJsonObject(members: Iterable<readonly [string, string]>): string {
  return `{${writeJsonMembers(members)}}`;
}

/** The same without its braces, for more members to follow. */
export function writeJsonMembers(members: Iterable<readonly [string, string]>): string {
  let text = "";
  for (const [key, value] of members) {
    const name = plainName.test(key) ? `"${key}"` : JSON.stringify(key);
    text += text === "" ? `${name}:${value}` : `,${name}:${value}`;
  }
  return text;
}

/** Names that are written as they are; all usual ones, and asking costs less than writing them by the general way. */
const plainName = /^\w+$/;

/**
 * `JSON.parse`, but right about names. V8 12.8 and later may read a member's name that begins with an escape as "\\",
 * once any document had a member of that name (https://github.com/nodejs/node/issues/63785): what one caller sends could
 * hide a member of another's request. Names that need no escape are therefore respelled without one.
 */
export function parseJson(text: string): unknown {
  // Most texts hold no backslash at all, and that is seen the fastest.
  const hasEscapedStart = text.includes("\\") && (text.includes('"\\u') || text.includes('"\\/'));
  return JSON.parse(hasEscapedStart ? withPlainNames(text) : text);
}

function withPlainNames(text: string): string {
  let respelled = "";
  let copied = 0;
  let start = text.indexOf('"');
  while (start !== -1) {
    const end = endOfString(text, start);
    if (end === -1) break;
    if (text.charCodeAt(start + 1) === backslash && text.charCodeAt(skipSpace(text, end)) === colon) {
      respelled += text.slice(copied, start) + JSON.stringify(JSON.parse(text.slice(start, end)));
      copied = end;
    }
    start = text.indexOf('"', end);
  }
  return respelled + text.slice(copied);
}

function faultOf(fault: ScanFault["fault"]): ScanFault {
  return { fault, key: undefined };
}

function ended(text: string, at: number, members: Map<string, string>): ScannedObject | ScanFault {
  return skipSpace(text, at + 1) === text.length ? { fault: undefined, members } : faultOf("malformed");
}

function readKey(text: string, start: number, end: number): string | undefined {
  const inner = text.slice(start + 1, end - 1);
  if (!inner.includes("\\")) return inner;
  try {
    return String(JSON.parse(text.slice(start, end)));
  } catch {
    return undefined;
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Most strings are short, and for those a native search costs more than it saves. */
const shortString = 24;

/** The position after the closing quote of the string that starts at `start`, or -1. */
function endOfString(text: string, start: number): number {
  const nearEnd = start + shortString;
  let at = start + 1;
  while (at < nearEnd) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    at += code === backslash ? 2 : 1;
  }
  return endOfLongString(text, at);
}

function endOfLongString(text: string, from: number): number {
  let end = text.indexOf('"', from);
  while (end !== -1 && text.charCodeAt(end - 1) === backslash) {
    let firstBackslash = end - 1;
    while (text.charCodeAt(firstBackslash - 1) === backslash) firstBackslash--;
    if ((end - firstBackslash) % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end === -1 ? -1 : end + 1;
}

type Counter = { left: number; readonly maxDepth: number };

function endOfValue(text: string, start: number, counter: Counter): number | ScanFault["fault"] {
  const first = text.charCodeAt(start);
  if (first === openBrace || first === openBracket) return endOfContainer(text, start, counter);
  if (first === quote) {
    const end = endOfString(text, start);
    return end === -1 ? "malformed" : end;
  }
  let at = start;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++;
  return at === start ? "malformed" : at;
}

function endsScalar(code: number): boolean {
  return code === comma || code === closeBrace || isSpace(code);
}

/** Brackets are only counted, not paired: which kind closes which is for `JSON.parse` to judge. */
function endOfContainer(text: string, start: number, counter: Counter): number | ScanFault["fault"] {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at);
        if (end === -1) return "malformed";
        at = end - 1;
        break;
      }
      case closeBrace:
      case closeBracket:
        if (--depth === 1) return at + 1;
        break;
      case openBrace:
      case openBracket:
        if (++depth > counter.maxDepth) return "too_deep";
        counter.left--;
        break;
      case comma:
        counter.left--;
    }
  }
  return "malformed";
}
