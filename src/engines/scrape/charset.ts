/** What is looked at for a `<meta charset>`: browsers read 1,024 bytes, pages put it later. */
const searchedBytes = 4096;

const metaCharset = /<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)/i;
const xmlEncoding = /^\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']/i;
const headerCharset = /;\s*charset\s*=\s*["']?([\w.:-]+)/i;

/** Text from bytes of unknown charset: byte order mark, then header, then what the page says, then UTF-8 if it is. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const label =
    byteOrderMark(bytes) ?? decoderLabel(headerCharset.exec(contentType)?.[1]) ?? labelWithin(bytes);
  if (label !== undefined) return new TextDecoder(label).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function byteOrderMark([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return undefined;
}

function labelWithin(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, searchedBytes)).toString(
    "latin1",
  );
  const label = decoderLabel(metaCharset.exec(start)?.[1] ?? xmlEncoding.exec(start)?.[1]);
  // What could be read as ASCII to find this is not UTF-16, whatever it says.
  return label?.startsWith("utf-16") === true ? "utf-8" : label;
}

/** The decoder's own name for a charset; undefined for names that nobody knows. */
function decoderLabel(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return undefined;
  }
}
