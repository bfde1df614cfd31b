import type { Connection } from "./upstream.ts";

/** A connection and a path on it: an address that an answer named, reached with the provider's credential. */
export type Followed = { readonly connection: Connection; readonly path: string };

/** `sandbox`: it plays all hosts, also those that an earlier process gave it, so that nothing of a test call goes out. */
export type TrustedHosts = readonly string[] | "sandbox";

/**
 * Whether the credential may follow to an address that a provider's answer named: to the provider's own origin, or over
 * https to a host of its trusted list (`files.example.com`, `*.example.com`). Undefined for all others: those are
 * fetched without a credential, through the guarded way out.
 */
export function follow(
  connection: Connection,
  trustedHosts: TrustedHosts,
  url: string,
): Followed | undefined {
  if (!URL.canParse(url)) return undefined;
  const named = new URL(url);
  if (named.username !== "" || named.password !== "") return undefined;
  const path = named.pathname + named.search;
  if (trustedHosts === "sandbox")
    return { connection: { ...connection, baseUrl: new URL(connection.baseUrl).origin }, path };
  const isOwn = named.origin === new URL(connection.baseUrl).origin;
  const isTrusted =
    named.protocol === "https:" &&
    named.port === "" &&
    trustedHosts.some((host) => matches(host, named.hostname));
  if (!isOwn && !isTrusted) return undefined;
  return { connection: { ...connection, baseUrl: named.origin }, path };
}

function matches(pattern: string, hostname: string): boolean {
  return pattern.startsWith("*.") ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}
