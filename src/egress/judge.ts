import { Problem } from "../core/problems.ts";
import { addressOf, canonical, isPublic, ownAddresses } from "./addresses.ts";
import type { Address } from "./addresses.ts";
import { AllowedList, bareHost } from "./allowed-list.ts";
import { isWebPort } from "./service-ports.ts";

/** Where a URL leads, as far as its text tells. */
export type Destination = {
  /** Without a fragment. */
  readonly url: URL;
  /** A name or an address, without brackets and without the dot of the root. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** The host is an address, and it may be fetched. */
  readonly isAddress: boolean;
  /** The operator named this host: its addresses are not judged. */
  readonly isTrusted: boolean;
};

const longestUrl = 8_192;

/**
 * Names that only mean something inside a network: one without a dot, and what is set aside or in use for private
 * ones. They are refused without asking, so that nobody learns which of them exist.
 */
const insideName =
  /^[^.]+$|\.(?:loca(?:l|lhost|ldomain)|home\.arpa|internal|intranet|private|corp|home|lan|onion)$/;

/** Says what may be fetched: first by the text of a URL, then by the addresses of its host. */
export class Judge {
  readonly #allowed: AllowedList;

  constructor(allowed: readonly string[]) {
    this.#allowed = new AllowedList(allowed);
  }

  /** Throws `url_not_allowed` for what could not be fetched wherever its name leads. Asks nobody. */
  destination(text: string, base?: URL): Destination {
    const url = webUrl(text, base);
    const isSecure = url.protocol === "https:";
    const host = bareHost(url.hostname);
    const port = portOf(url);
    if (!isWebPort(port) && !this.#allowed.opensPort(host, port)) throw notAllowed("port");
    const isAddress = addressOf(host) !== undefined;
    const isTrusted = !isAddress && this.#allowed.opensName(host, port);
    if (isAddress) this.#judge([host], port);
    else if (!isTrusted && !isPublicName(host)) throw notAllowed("name");
    return { url, host, port, isSecure, isAddress, isTrusted };
  }

  /** Throws `url_not_allowed` unless every one of these addresses may be connected to. */
  admit(destination: Destination, addresses: readonly string[]): void {
    if (!destination.isTrusted) this.#judge(addresses, destination.port);
  }

  #judge(texts: readonly string[], port: number): void {
    const addresses = texts.map((text) => addressOf(text));
    const listed = (address: Address): boolean => this.#allowed.opensAddress(address, port);
    const unlisted = addresses.filter((address) => address === undefined || !listed(address));
    const isEveryPublic = unlisted.every((address) => address !== undefined && isPublic(address));
    if (!isEveryPublic || isAnyOwn(unlisted)) throw notAllowed("address");
  }
}

/** The parser brings hosts written as numbers, in percents or in wide digits into their one usual form. */
function webUrl(text: string, base: URL | undefined): URL {
  const url = text.length > longestUrl ? null : URL.parse(text, base?.href);
  if (url === null) throw notAllowed("no URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw notAllowed("scheme");
  if (url.username !== "" || url.password !== "") throw notAllowed("credentials");
  url.hash = "";
  return url;
}

export function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function isPublicName(host: string): boolean {
  return !insideName.test(host) && !host.split(".").includes("");
}

/** Whether a URL's host is outside every private network, as far as its text tells. Asks nobody. */
export function isPublicHost(hostname: string): boolean {
  const host = bareHost(hostname);
  const address = addressOf(host);
  return address === undefined ? isPublicName(host) : isPublic(address);
}

/** Asked anew each time: interfaces come and go. */
function isAnyOwn(addresses: readonly (Address | undefined)[]): boolean {
  if (addresses.length === 0) return false;
  const own = new Set(ownAddresses().map(canonical));
  return addresses.some((address) => own.has(canonical(address?.toString())));
}

function notAllowed(cause: string): Problem {
  return new Problem("url_not_allowed", { cause });
}
