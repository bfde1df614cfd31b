import { lookup as askSystem, Resolver } from "node:dns/promises";

/** All addresses of a name, the preferred first; rejects when there are none. The signal ends the asking. */
export type Lookup = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** For one try at one server; there are two tries. */
const dnsTimeoutMs = 2_500;

/**
 * Asks the name servers itself, by default those of the system. The system's resolver would hold one of this
 * process's few threads for as long as somebody's name server likes, knows the names of this network, and completes
 * names with its search list. Nothing is remembered from one asking to the next.
 */
export function lookupInDns(servers?: readonly string[]): Lookup {
  return async (host, signal) => {
    const resolver = new Resolver({ timeout: dnsTimeoutMs, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      // IPv4 first: without a route over IPv6 its attempts only cost time.
      const asked = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const found = asked.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      const [first] = asked;
      if (found.length === 0 && first.status === "rejected") throw first.reason;
      return found;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
}

/** For hosts that the operator named: as every program of this machine finds them, hosts file included. */
export const lookupAsSystem: Lookup = async (host) => {
  const found = await askSystem(host, { all: true });
  return found.map(({ address }) => address);
};
