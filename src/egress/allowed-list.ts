import { addressOf, isInRange, rangeOf } from "./addresses.ts";
import type { Address, Range } from "./addresses.ts";

/** One line of the operator's list. Without a port it stands for all ports of the web, with one for just that. */
type Entry = { readonly port: number | undefined } & (
  | { readonly name: string; readonly range?: never }
  | { readonly range: Range; readonly name?: never }
);

/**
 * What the operator opened although it is not public: `receiver.internal`, `10.0.0.5:8080`, `[fd00::1]:8080`,
 * `10.1.0.0/16`. A name is trusted wherever it leads; an address or a range is open to every name that leads there.
 */
export class AllowedList {
  readonly #entries: readonly Entry[];

  /** Throws an Error that names the line which cannot be read. */
  constructor(lines: readonly string[]) {
    this.#entries = lines.map(entryOf);
  }

  opensName(name: string, port: number): boolean {
    return this.#entries.some((entry) => entry.name === name && (entry.port ?? port) === port);
  }

  opensAddress(address: Address, port: number): boolean {
    return this.#entries.some(
      ({ range, port: only }) => range !== undefined && (only ?? port) === port && isInRange(address, range),
    );
  }

  /** True when a line names this very host, as a URL writes it, with this very port. */
  opensPort(host: string, port: number): boolean {
    const address = addressOf(host);
    return this.#entries.some(
      (entry) =>
        entry.port === port &&
        (address && entry.range ? isInRange(address, entry.range) : entry.name === host),
    );
  }
}

function entryOf(line: string): Entry {
  const range = rangeOf(line);
  if (range !== undefined) return { range, port: undefined };
  const [, host, port] = /^(\[[^[\]]+\]|[^:/?#@\\\s[\]]+)(?::(\d{1,5}))?$/.exec(bracketed(line)) ?? [];
  const url = URL.parse(`http://${host ?? ""}:${port ?? 80}/`);
  const name = bareHost(url?.hostname ?? "");
  const address = addressOf(name);
  if (host === undefined || (address === undefined && !/^[\w.-]+$/.test(name))) {
    throw new Error(`not a host, host:port or address/length: ${line}`);
  }
  const only = port === undefined ? undefined : Number(port);
  return address ? { range: [address, wholeLength(address)], port: only } : { name, port: only };
}

function wholeLength(address: Address): number {
  return address.kind() === "ipv4" ? 32 : 128;
}

/** An IPv6 address alone may be written without brackets. */
function bracketed(line: string): string {
  return addressOf(line)?.kind() === "ipv6" ? `[${line}]` : line;
}

/** A host as it is compared and resolved: without brackets and without the dot of the root. */
export function bareHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname.replace(/\.$/, "");
}
