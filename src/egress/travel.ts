import { dial } from "./dial.ts";
import { EgressFailure } from "./egress-failure.ts";
import { exchange } from "./exchange.ts";
import type { Reply } from "./exchange.ts";
import type { Journey } from "./journey.ts";
import type { Destination, Judge } from "./judge.ts";
import type { Lookup } from "./lookup.ts";
import { askedAt } from "./question.ts";
import type { Question } from "./question.ts";

export type Roads = {
  readonly judge: Judge;
  readonly lookup: Lookup;
  /** For hosts that the operator named. */
  readonly lookupTrusted: Lookup;
  readonly stallMs: number;
};

export type Trip = {
  readonly question: Question;
  /** Redirects that are followed; with 0 a redirect is an answer like any other. */
  readonly maxRedirects: number;
  readonly beforeRedirect?: ((url: string) => Promise<void>) | undefined;
  readonly journey: Journey;
};

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Goes to the first address and on to where it redirects, each judged by its text and by what its name resolves to
 * at that moment. The reply is the last one, its body still to be read.
 */
export async function travel(first: Destination, trip: Trip, roads: Roads): Promise<[Destination, Reply]> {
  const { journey, maxRedirects, beforeRedirect } = trip;
  let { question } = trip;
  let destination = first;
  for (let hops = 0; ; hops += 1) {
    const reply = await hop(destination, question, { journey, roads });
    const location = mayMove(question, maxRedirects) ? locationOf(reply) : undefined;
    if (location === undefined) return [destination, reply];
    journey.closeHop();
    if (hops === maxRedirects) throw new EgressFailure("refused", "too many redirects");
    destination = roads.judge.destination(location, destination.url);
    if (beforeRedirect !== undefined) await journey.race(beforeRedirect(destination.url.href));
    question = askedAt(destination.url, question);
  }
}

async function hop(
  destination: Destination,
  question: Question,
  { journey, roads }: { readonly journey: Journey; readonly roads: Roads },
): Promise<Reply> {
  const addresses = await journey.race(addressesOf(destination, roads, journey.signal));
  if (addresses.length === 0) throw new EgressFailure("refused", "no addresses");
  roads.judge.admit(destination, addresses);
  const socket = await dial(destination, addresses, journey);
  return exchange(question, { socket, journey, stallMs: roads.stallMs });
}

async function addressesOf(
  { host, isAddress, isTrusted }: Destination,
  { lookup, lookupTrusted }: Roads,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isAddress) return [host];
  return isTrusted ? lookupTrusted(host, signal) : lookup(host, signal);
}

/** What was posted is for this receiver; it is never sent twice. */
function mayMove({ method }: Question, maxRedirects: number): boolean {
  return maxRedirects > 0 && method !== "POST";
}

function locationOf({ status, headers }: Reply): string | undefined {
  const location = redirects.has(status) ? headers["location"] : undefined;
  // The wire's bytes are read as Latin-1; beyond ASCII senders mean UTF-8.
  return location && Buffer.from(location, "latin1").toString();
}
