import { isIP } from "node:net";

/**
 * `required`: nothing is sent over a connection that is not encrypted to a server whose certificate is valid; a server
 * on this machine itself may do without. `when_offered`: a server that offers no TLS is talked to in the open.
 * `unverified`: encrypted, but to whoever answers.
 */
export type TlsPolicy = "required" | "when_offered" | "unverified";

/** The server that takes our e-mail. */
export type MailRelay = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS. */
  readonly isSecure: boolean;
  readonly requiresTls: boolean;
  readonly verifiesTls: boolean;
  readonly login: { readonly user: string; readonly pass: string } | undefined;
};

/** Reads `smtp://user:password@host:587` or `smtps://user:password@host:465`; undefined for anything else. */
export function readRelay(address: string, tls: TlsPolicy): MailRelay | undefined {
  const url = URL.parse(address);
  if (url === null || url.hostname === "") return undefined;
  const isSecure = url.protocol === "smtps:";
  if (!isSecure && url.protocol !== "smtp:") return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const [user, pass] = [decoded(url.username), decoded(url.password)];
  if (user === undefined || pass === undefined) return undefined;
  return {
    host,
    port: url.port === "" ? standardPort(isSecure) : Number(url.port),
    isSecure,
    requiresTls: tls === "unverified" || (tls === "required" && !isOwnMachine(host)),
    verifiesTls: tls !== "unverified",
    login: user === "" ? undefined : { user, pass },
  };
}

function standardPort(isSecure: boolean): number {
  return isSecure ? 465 : 587;
}

/** What is written to it leaves this machine nowhere. */
function isOwnMachine(host: string): boolean {
  if (isIP(host) === 0) return host === "localhost" || host.endsWith(".localhost");
  return host === "::1" || host.startsWith("127.");
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
