import net from "node:net";
import type { LookupFunction, Socket } from "node:net";
import tls from "node:tls";
import { canonical } from "./addresses.ts";
import { EgressFailure } from "./egress-failure.ts";
import type { Journey } from "./journey.ts";
import type { Destination } from "./judge.ts";

/** Until the connection is open and its certificate checked. */
const connectMs = 10_000;
/** One address of several has this long before the next is tried. */
const attemptMs = 500;

/**
 * An open connection to one of exactly these addresses, which the judge has admitted: nothing is resolved here, and
 * the peer is looked at once more before the first byte is written.
 */
export async function dial(
  destination: Destination,
  addresses: readonly string[],
  journey: Journey,
): Promise<Socket> {
  const { host, port, isSecure } = destination;
  const tcp = net.connect({
    host,
    port,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptMs,
    lookup: answering(addresses),
  });
  const timer = setTimeout(() => tcp.destroy(new EgressFailure("timeout", "connecting")), connectMs);
  journey.closesBy(() => tcp.destroy());
  try {
    await opened(tcp, "connect");
    const peer = canonical(tcp.remoteAddress);
    if (peer === undefined || !addresses.some((address) => canonical(address) === peer)) {
      tcp.destroy();
      throw new EgressFailure("refused", "connected to another address than was judged");
    }
    return isSecure ? await secured(tcp, destination) : tcp;
  } finally {
    clearTimeout(timer);
  }
}

/** HTTP/1.1 over TLS, its certificate checked against the name or address of the URL. */
async function secured(tcp: Socket, { host, isAddress }: Destination): Promise<Socket> {
  const socket = tls.connect({
    socket: tcp,
    host,
    ...(isAddress ? {} : { servername: host }),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: true,
  });
  await opened(socket, "secureConnect");
  return socket;
}

/** A resolver that knows only these addresses, in whichever form `net` asks. */
function answering(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: net.isIP(address) }));
  return (_, options, callback) => {
    const [first] = all;
    if (options.all === true || first === undefined) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

function opened(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    // Stays for the life of the socket: an error nobody hears would end the process.
    socket.on("error", reject);
    socket.once("close", () => reject(new EgressFailure("refused", "closed while connecting")));
  });
}
