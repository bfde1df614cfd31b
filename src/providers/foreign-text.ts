import type { UpstreamHeaders } from "./wire.ts";

const mostCharacters = 200;
/** Enough for any message; cut off before the expressions run. */
const mostRead = 2_000;

const keyLike = /\b(?:sk|gsk|xai|pplx|rk|pk|key)-[A-Za-z0-9_*-]{8,}|\b(?:gsk_|AIza)[A-Za-z0-9_-]{8,}/g;
const bearer = /\bBearer\s+\S+/gi;

/** Long words of letters and digits are identifiers or secrets: no use to a reader of logs. */
const longWord = /[\w-]{24,}/g;

/** What a message quotes at length may be a customer's: names of members and values are shorter. */
const quoted = /(["'`“‘])(?=[^"'`“”‘’]{25})[^"'`“”‘’]*(?:["'`”’]|$)/g;

/**
 * An upstream's words as a log may hold them: one line of at most 200 characters, without control signs, keys or long
 * quotations.
 */
export function foreignText(text: string): string {
  const safe = text
    .slice(0, mostRead)
    .replace(quoted, "[quoted]")
    .replace(bearer, "Bearer [redacted]")
    .replace(keyLike, "[redacted]")
    .replace(longWord, (word) => (/\d/.test(word) && /[a-z]/i.test(word) ? "[redacted]" : word))
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return safe.slice(0, mostCharacters).toWellFormed();
}

/** A body that no log may hold, by its size and, if it was to be JSON, where that breaks off. */
export function shapeOf(text: string): string {
  const size = `${Buffer.byteLength(text)} bytes`;
  return text === "" ? "an empty body" : `${size}, ${faultPlaceIn(text)}`;
}

function faultPlaceIn(text: string): string {
  try {
    JSON.parse(text);
    return "JSON of another form";
  } catch (error) {
    // The parser's own words quote the text.
    const place = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    return place === undefined ? "not JSON" : `not JSON from character ${place} on`;
  }
}

/** The same with the content type that came with it. */
export function withType(detail: string, headers: UpstreamHeaders): string {
  const [type = "none"] = [headers["content-type"] ?? []].flat();
  return `${detail}; content-type ${foreignText(type).slice(0, 60)}`;
}
