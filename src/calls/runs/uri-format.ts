import addFormats from "ajv-formats";

/** The regular expression of `ajv-formats` runs out of stack on a picture of some 8 MB in a `data:` URL. */
const mostForRegularExpression = 10_000;

const scheme = /^[a-z][a-z0-9+.-]*:/i;
const foreign = /[^a-z0-9\-._~!$&'()*+,;=:@/?#[\]%]|%(?![0-9a-f]{2})/i;

/** JSON Schema's `format: "uri"`. Of a long one the scheme and the characters are looked at: https://www.rfc-editor.org/rfc/rfc3986 */
export function isUri(text: string): boolean {
  if (text.length <= mostForRegularExpression) return isShortUri(text);
  return scheme.test(text.slice(0, 64)) && !foreign.test(text);
}

function isShortUri(text: string): boolean {
  const format = addFormats.default.get("uri");
  return typeof format === "function" && format(text);
}
