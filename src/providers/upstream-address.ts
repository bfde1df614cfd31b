/** Credentials are bound to an origin: this is it, with the path that goes before every request's path. */
export type BaseAddress = { readonly origin: string; readonly host: string; readonly pathPrefix: string };

/** Throws `TypeError` for anything but a plain http(s) URL without user, query or fragment. */
export function readBaseUrl(baseUrl: string): BaseAddress {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError("a provider's base URL must be an http or https URL");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("a provider's base URL must have no user, query or fragment");
  }
  return { origin: url.origin, host: url.host, pathPrefix: url.pathname.replace(/\/+$/, "") };
}

/** Starts with one slash and stays in its folder: no `//host`, `..` or `.` segment, backslash, fragment or blank. */
const plainPath = /^\/(?![/\\])[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
const dotSegment = /(?:\/|%2f)(?:\.|%2e){1,2}(?:\/|%2f|$)|%5c/i;

/** The request target below the base, or `TypeError` when the path could mean another place. */
export function requestTarget(base: BaseAddress, path: string): string {
  const queryAt = path.indexOf("?");
  const folder = queryAt === -1 ? path : path.slice(0, queryAt);
  if (!plainPath.test(path) || dotSegment.test(folder)) {
    throw new TypeError("a request's path must be plain and start with one slash");
  }
  return base.pathPrefix + path;
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
export const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They frame, route or authenticate a message, so no request and no endpoint sets them. */
export const namesOfOurs: ReadonlySet<string> = new Set([
  "accept-encoding",
  "authorization",
  "connection",
  "content-length",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);

type Headers = Readonly<Record<string, string>>;

/** By what was asked and what is worn, both frozen: those of a wire and of a key are the same for every request. */
const knownLists = new WeakMap<Headers, WeakMap<Headers, string[]>>();

/**
 * Name, value, name, value… as undici takes them; the list may be another request's as well. A request cannot set what
 * the credential sets (`worn`), nor what frames or routes the message: `TypeError`.
 */
export function requestHeaders(asked: Headers, worn: Headers, hasBody: boolean): string[] {
  if (!hasBody || !Object.isFrozen(asked) || !Object.isFrozen(worn)) return listOf(asked, worn, hasBody);
  const known = knownLists.get(asked)?.get(worn);
  if (known !== undefined) return known;
  const list = listOf(asked, worn, hasBody);
  const lists = knownLists.get(asked) ?? new WeakMap<Headers, string[]>();
  knownLists.set(asked, lists.set(worn, list));
  return list;
}

function listOf(asked: Headers, worn: Headers, hasBody: boolean): string[] {
  const list = ["accept-encoding", "identity", "user-agent", "skillboss"];
  let hasContentType = false;
  for (const [name, value] of Object.entries(asked)) {
    const lower = name.toLowerCase();
    if (namesOfOurs.has(lower) || worn[lower] !== undefined) {
      throw new TypeError(`a request may not set the header ${lower}`);
    }
    addHeader(list, lower, value);
    hasContentType ||= lower === "content-type";
  }
  if (!hasContentType && hasBody) list.push("content-type", "application/json");
  for (const [name, value] of Object.entries(worn)) addHeader(list, name, value);
  return list;
}

function addHeader(list: string[], name: string, value: string): void {
  if (!headerName.test(name) || !headerValue.test(value)) {
    throw new TypeError("a header's name or value has characters that no header may have");
  }
  list.push(name, value);
}
