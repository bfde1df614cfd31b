import type { IncomingMessage } from "node:http";
import { Problem } from "../core/problems.ts";

const mostHeaders = 200;

/**
 * What is wrong with requests whose form two readers could understand in two ways: they are how requests are smuggled and
 * restrictions are passed by. Undefined for an ordinary request.
 */
export function strangenessOf(request: IncomingMessage): Problem | undefined {
  const { rawHeaders, headers, url = "" } = request;
  if (rawHeaders.length > 2 * mostHeaders)
    return new Problem("headers_too_large", { message: `More than ${mostHeaders} headers.` });
  if (count(rawHeaders, "authorization") > 1)
    return new Problem("invalid_api_key", { message: "Send one Authorization header." });
  const hosts = count(rawHeaders, "host");
  if (hosts > 1 || (hosts === 0 && request.httpVersion !== "1.0"))
    return new Problem("invalid_request", { message: "Send one Host header." });
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    return new Problem("invalid_request", { message: "The only transfer encoding taken is chunked." });
  if (!url.startsWith("/"))
    return new Problem("invalid_request", { message: "The request target must be a path." });
  // No database stores it, and nothing we name has it.
  if (url.includes("%00")) return new Problem("invalid_request", { message: "The address holds a NUL." });
  return undefined;
}

/** How often a header was sent; `headers` of node:http has only the first of some. */
function count(rawHeaders: readonly string[], wanted: string): number {
  let found = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name !== undefined && name.length === wanted.length && name.toLowerCase() === wanted) found += 1;
  }
  return found;
}
