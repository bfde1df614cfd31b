/** Reads messages as a mail program does, for tests: headers, and the parts with their bytes. */

export type MailPart = {
  /** Names in lower case; folded lines joined, encoded words decoded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly parts: readonly MailPart[];
};

export function readMail(message: Buffer): MailPart {
  const text = message.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const headers = readHeaders(text.slice(0, end));
  const body = text.slice(end + 4);
  const contentType = headers.get("content-type") ?? "text/plain";
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  const parts = boundary === undefined ? [] : splitParts(body, boundary).map(readMail);
  const bytes = decodeBody(body, headers.get("content-transfer-encoding") ?? "7bit");
  return { headers, contentType, bytes, parts };
}

/** All parts that hold no others, in their order. */
export function leavesOf(part: MailPart): readonly MailPart[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf);
}

function readHeaders(text: string): ReadonlyMap<string, string> {
  const lines = text.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (headers.has(name)) throw new Error(`two headers ${name}`);
    headers.set(name, decodeWords(line.slice(colon + 1).trim()));
  }
  return headers;
}

function decodeWords(value: string): string {
  const joined = value.replaceAll(/\?=\s+=\?/g, "?==?");
  const words = joined.replaceAll(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_, form: string, content: string) =>
    form.toUpperCase() === "B"
      ? Buffer.from(content, "base64").toString("latin1")
      : decodeQuoted(content.replaceAll("_", " ")),
  );
  return Buffer.from(words, "latin1").toString();
}

function decodeQuoted(text: string): string {
  return text.replaceAll(/=([\dA-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function decodeBody(body: string, encoding: string): Buffer {
  switch (encoding.toLowerCase()) {
    case "base64":
      return Buffer.from(body, "base64");
    case "quoted-printable":
      return Buffer.from(decodeQuoted(body.replaceAll(/=\r\n/g, "")), "latin1");
    default:
      return Buffer.from(body, "latin1");
  }
}

function splitParts(body: string, boundary: string): readonly Buffer[] {
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  const end = pieces.findIndex((piece) => piece.startsWith("--"));
  return pieces.slice(1, end).map((piece) => Buffer.from(piece.replace(/^\r\n/, ""), "latin1"));
}
