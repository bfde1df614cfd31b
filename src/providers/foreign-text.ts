const mostCharacters = 200;
/** Enough for any message; cut off before the expressions run. */
const mostRead = 2_000;

const keyLike = /\b(?:sk|gsk|xai|pplx|rk|pk|key)-[A-Za-z0-9_*-]{8,}|\b(?:gsk_|AIza)[A-Za-z0-9_-]{8,}/g;
const bearer = /\bBearer\s+\S+/gi;

/** Long words of letters and digits are identifiers or secrets: no use to a reader of logs. */
const longWord = /[\w-]{24,}/g;

/** An upstream's words as a log may hold them: one line of at most 200 characters, without control signs or keys. */
export function foreignText(text: string): string {
  const safe = text
    .slice(0, mostRead)
    .replace(bearer, "Bearer [redacted]")
    .replace(keyLike, "[redacted]")
    .replace(longWord, (word) => (/\d/.test(word) && /[a-z]/i.test(word) ? "[redacted]" : word))
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return safe.slice(0, mostCharacters).toWellFormed();
}
