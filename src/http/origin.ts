import type { IncomingMessage } from "node:http";
import { BlockList, isIPv6 } from "node:net";

/** Where reverse proxies of the operator's stand: this machine and private networks. */
const near = new BlockList();
for (const [network, prefix] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  near.addSubnet(network, prefix, "ipv4");
near.addAddress("::1", "ipv6");
near.addSubnet("fc00::", 7, "ipv6");

/**
 * The address under which a client reached this server, as it wrote it: what it can reach, it can download from. https
 * where a proxy nearby says so. That is told to the same client only, so that a lie deceives its teller.
 */
export function originOf({ headers, socket }: Pick<IncomingMessage, "headers" | "socket">): string {
  const isSecure = toldScheme(headers) === "https" && isNear(socket.remoteAddress);
  return `${isSecure ? "https" : "http"}://${headers.host ?? "127.0.0.1"}`;
}

function isNear(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  return near.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

/** Of several proxies the first is the one that the client asked. */
function toldScheme(headers: IncomingMessage["headers"]): string | undefined {
  const forwarded = headers["x-forwarded-proto"];
  if (forwarded === undefined && headers.forwarded === undefined) return undefined;
  const [told = ""] = String(forwarded ?? "").split(",");
  if (told.trim() !== "") return told.trim().toLowerCase();
  const [first = ""] = (headers.forwarded ?? "").split(",");
  return /(?:^|;)\s*proto="?(https?)"?\s*(?:;|$)/i.exec(first)?.[1]?.toLowerCase();
}
