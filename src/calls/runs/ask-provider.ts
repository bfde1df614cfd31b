import { Problem } from "../../core/problems.ts";
import { EgressFailure } from "../../egress/egress.ts";
import type { Egress } from "../../egress/egress.ts";
import type { RunAnswer, RunAsk } from "../../providers/declared/run-wire.ts";
import { gather } from "../../providers/gather.ts";
import type { Listener } from "../../providers/gather.ts";
import { follow } from "../../providers/trusted-addresses.ts";
import type { Connection, Upstream } from "../../providers/upstream.ts";
import type { RunLine } from "./run-house.ts";

/** Providers that do the work before they answer may take this long. */
const timeouts = { firstByteMs: 600_000, totalMs: 900_000 };
const largestAnswerBytes = 64 * 1024 * 1024;
const fetchTimeoutMs = 120_000;

export type ProviderLine = Extract<RunLine, { connection: unknown }>;
/** The credential could not be made ready, such as a token that was refused: the provider itself was not asked. */
export class CredentialNotReady extends Error {}

export type Ways = { readonly upstream: Upstream; readonly egress: Egress };

type Asking = Ways & {
  readonly signal: AbortSignal;
  readonly listener?: Listener | undefined;
  /** For what may not be sent twice. */
  readonly ownConnection?: boolean;
};

/**
 * One question to the provider. An address that an answer named is asked with the credential only where that may follow,
 * else through the guarded way out. Rejects with `GatheringFailed`, `EgressFailure` or `CredentialNotReady`; and with a
 * `Problem` for an address that will never be fetched, however often it is asked.
 */
export async function askProvider(
  line: ProviderLine,
  ask: RunAsk,
  { upstream, egress, signal, listener, ownConnection }: Asking,
): Promise<RunAnswer> {
  const named = "url" in ask.target ? ask.target.url : undefined;
  const followed =
    "url" in ask.target
      ? follow(line.connection, line.trustedHosts, ask.target.url)
      : { connection: line.connection, path: ask.target.path };
  if (followed === undefined) return fetchNamed(egress, named ?? "", signal);
  await madeReady(upstream, followed.connection);
  const headers = { ...line.headers, ...ask.headers };
  const request = { method: ask.method, path: followed.path, headers, body: ask.body };
  const { connection } = followed;
  const call = { connection, request, timeouts, maxBytes: largestAnswerBytes, ownConnection };
  try {
    return await gather(upstream, call, { signal, listener });
  } catch (error) {
    // What an answer named is on the provider's own host, and no plain path there.
    throw error instanceof TypeError ? new Problem("upstream_invalid_response", { cause: error }) : error;
  }
}

async function madeReady(upstream: Upstream, connection: Connection): Promise<void> {
  try {
    await upstream.ready(connection);
  } catch (cause) {
    throw new CredentialNotReady("no token for this provider", { cause });
  }
}

async function fetchNamed(egress: Egress, url: string, signal: AbortSignal): Promise<RunAnswer> {
  try {
    return await egress.fetch({ url, maxBytes: largestAnswerBytes, timeoutMs: fetchTimeoutMs, signal });
  } catch (error) {
    throw unfitAddress(error);
  }
}

/**
 * That an answer of the provider names an address which nobody may fetch, or where more lies than is ever read, is no
 * fault of the customer's.
 */
export function unfitAddress(error: unknown): unknown {
  const isClosed = error instanceof Problem && error.code === "url_not_allowed";
  const isTooLarge = error instanceof EgressFailure && error.kind === "too_large";
  return isClosed || isTooLarge ? new Problem("upstream_invalid_response", { cause: error }) : error;
}
