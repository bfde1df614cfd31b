import net from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** A network: its address and the length of its prefix. */
export type Range = [Address, number];

/** Undefined for what is no address in its one usual form. `ipaddr.parse` alone takes octal and short forms too. */
export function addressOf(text: string): Address | undefined {
  return net.isIP(text) === 0 ? undefined : ipaddr.parse(text);
}

/** Undefined for what is no `address/length`. */
export function rangeOf(text: string): Range | undefined {
  const [address = ""] = text.split("/", 1);
  return net.isIP(address) !== 0 && ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
}

export function isInRange(address: Address, [network, length]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, length);
}

/**
 * True for an address of the public internet and nothing else. Of IPv6 that is what is handed out of 2000::/3: forms
 * with an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo) are refused whatever is inside, because who
 * routes them decides where they lead.
 */
export function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  if (address instanceof ipaddr.IPv6) return isInRange(address, globalUnicast);
  return !hostServices.some((range) => isInRange(address, range));
}

const globalUnicast: Range = [ipaddr.IPv6.parse("2000::"), 3];

/** Public by number, but answered by the host below a virtual machine: Azure's service for its guests. */
const hostServices: readonly Range[] = [[ipaddr.IPv4.parse("168.63.129.16"), 32]];

/** The addresses of this machine's interfaces, public ones included. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
}

/** One text per address: IPv4 as itself, also where a socket shows it mapped into IPv6. */
export function canonical(text: string | undefined): string | undefined {
  const address = text === undefined ? undefined : addressOf(text);
  return address && ipaddr.process(address.toString()).toNormalizedString();
}
