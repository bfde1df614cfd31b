/** The content of a `data:` URL: its media type in lower case, without parameters, and its bytes as base64. */
export type DataUrl = { readonly mediaType: string; readonly base64: string };

const scheme = /^data:/i;
const address = /^https?:/i;
/** What a URL without a type has. */
const plainText = "text/plain";
const longestType = 256;
const longestHead = 1024;

export function isDataUrl(url: string): boolean {
  return scheme.test(url);
}

export function isWebAddress(url: string): boolean {
  return address.test(url);
}

/** The media type in lower case, without reading the content; empty when this is no data URL. */
export function mediaTypeOf(url: string): string {
  if (!isDataUrl(url)) return "";
  const [type = ""] = /^[^;,]*/.exec(url.slice("data:".length, "data:".length + longestType)) ?? [];
  const mediaType = type.trim().toLowerCase();
  return mediaType === "" ? plainText : mediaType;
}

/**
 * Reads `data:[type][;parameter]*[;base64],content` (RFC 2397). Content that is not base64 is percent-decoded and
 * encoded anew. Undefined when it has another form.
 */
export function parseDataUrl(url: string): DataUrl | undefined {
  const comma = url.indexOf(",");
  if (!isDataUrl(url) || comma < 0) return undefined;
  const [, ...parameters] = url.slice("data:".length, comma).split(";");
  const content = url.slice(comma + 1);
  const isBase64 = parameters.at(-1)?.trim().toLowerCase() === "base64";
  const base64 = isBase64 ? cleanBase64(content) : percentDecoded(content)?.toString("base64");
  if (base64 === undefined || base64 === "") return undefined;
  return { mediaType: mediaTypeOf(url), base64 };
}

/** The content's bytes. What is base64 is not checked first: documents have megabytes. */
export function decodeBytes(url: string): Buffer | undefined {
  const comma = url.indexOf(",");
  const isPlain = comma < longestHead && /;\s*base64\s*$/i.test(url.slice(0, Math.max(0, comma)));
  const base64 = isPlain && !url.includes("%") ? url.slice(comma + 1) : parseDataUrl(url)?.base64;
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

export function decodeText(url: DataUrl): string {
  return Buffer.from(url.base64, "base64").toString("utf8");
}

/** The usual case is returned as it is: images have megabytes. */
function cleanBase64(content: string): string | undefined {
  const text = content.includes("%") ? percentDecoded(content)?.toString("latin1") : content;
  if (text === undefined || !/^[A-Za-z0-9+/_=\s-]+$/.test(text)) return undefined;
  return /[\s_-]/.test(text) ? Buffer.from(text, "base64").toString("base64") : text;
}

function percentDecoded(text: string): Buffer | undefined {
  try {
    return Buffer.from(decodeURIComponent(text), "utf8");
  } catch {
    return Buffer.from(text.replace(/%([0-9a-f]{2})/gi, byteOfEscape), "latin1");
  }
}

function byteOfEscape(_escape: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}
