import { documentFault } from "./document-fault.ts";

export type XmlEvent =
  | {
      readonly kind: "open";
      /** Without the prefix of its namespace. */
      readonly name: string;
      /** One without a prefix. */
      readonly attribute: (name: string) => string | undefined;
      /** One with a prefix, whichever it is. */
      readonly prefixed: (name: string) => string | undefined;
    }
  | { readonly kind: "close"; readonly name: string }
  | { readonly kind: "text"; readonly text: string };

const mostDepth = 256;

/**
 * The parts of an XML text in order, in one pass. Only as strict as safety asks: a document type, which could define
 * entities that grow, is refused, and so is deep nesting; whether closing tags match is not looked at.
 */
export function* readXml(xml: string): Generator<XmlEvent> {
  let depth = 0;
  let at = 0;
  while (at < xml.length) {
    const tagAt = xml.indexOf("<", at);
    const textEnd = tagAt === -1 ? xml.length : tagAt;
    if (textEnd > at) yield { kind: "text", text: decodeEntities(xml.slice(at, textEnd)) };
    if (tagAt === -1) break;
    const { end, events, deeper = 0 } = specialAt(xml, tagAt) ?? tagEvents(xml, tagAt);
    at = end;
    yield* events;
    depth += deeper;
    if (depth > mostDepth) throw documentFault("The document is nested too deeply.");
  }
  if (depth > 0) throw brokenOff();
}

function brokenOff(): Error {
  return documentFault("The document's XML is broken off.");
}

/** Reads all of it, for its refusals alone. */
export function assertSafeXml(xml: string): void {
  const events = readXml(xml);
  while (events.next().done !== true);
}

type Step = { readonly end: number; readonly events: readonly XmlEvent[]; readonly deeper?: number };

/** Comments, instructions and literal text: whatever begins with `<!` or `<?`. */
function specialAt(xml: string, at: number): Step | undefined {
  if (xml.startsWith("<!--", at)) return { end: after(xml, "-->", at + 4), events: [] };
  if (xml.startsWith("<?", at)) return { end: after(xml, "?>", at + 2), events: [] };
  if (xml.startsWith("<![CDATA[", at)) {
    const end = after(xml, "]]>", at + 9);
    return { end, events: [{ kind: "text", text: xml.slice(at + 9, end - 3) }] };
  }
  if (xml.startsWith("<!", at)) throw documentFault("The document holds a document type, which is not read.");
  return undefined;
}

/** An element without content opens and closes at once. */
function tagEvents(xml: string, tagAt: number): Step {
  const tagEnd = endOfTag(xml, tagAt);
  const end = tagEnd + 1;
  if (xml[tagAt + 1] === "/")
    return {
      end,
      deeper: -1,
      events: [{ kind: "close", name: localName(xml.slice(tagAt + 2, tagEnd).trim()) }],
    };
  const isEmpty = xml[tagEnd - 1] === "/";
  const tag = xml.slice(tagAt + 1, isEmpty ? tagEnd - 1 : tagEnd);
  const name = localName(/^[^\s/]*/.exec(tag)?.[0] ?? "");
  const open: XmlEvent = {
    kind: "open",
    name,
    attribute: (wanted) => attributeOf(tag, wanted, false),
    prefixed: (wanted) => attributeOf(tag, wanted, true),
  };
  return isEmpty ? { end, events: [open, { kind: "close", name }] } : { end, deeper: 1, events: [open] };
}

function after(xml: string, mark: string, from: number): number {
  const at = xml.indexOf(mark, from);
  if (at === -1) throw brokenOff();
  return at + mark.length;
}

/** The `>` that ends the tag; those within quotes do not. */
function endOfTag(xml: string, tagAt: number): number {
  let at = tagAt + 1;
  for (;;) {
    const sign = xml[at];
    if (sign === ">") return at;
    if (sign === undefined) throw brokenOff();
    at = sign === '"' || sign === "'" ? after(xml, sign, at + 1) : at + 1;
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function attributeOf(tag: string, wanted: string, isPrefixed: boolean): string | undefined {
  for (const match of tag.matchAll(/\s(?:([\w.-]+):)?([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (match[2] === wanted && (match[1] !== undefined) === isPrefixed)
      return decodeEntities(match[3] ?? match[4] ?? "");
  }
  return undefined;
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#x[\da-f]{1,6}|#\d{1,7}|\w{2,4});/gi, (entity) => {
    const name = entity.slice(1, -1);
    if (!name.startsWith("#")) return named[name] ?? entity;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "";
  });
}
