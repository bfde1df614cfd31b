import type { Egress } from "../../egress/egress.ts";
import type { RunAnswer, RunAsk } from "../../providers/declared/run-wire.ts";
import { gather } from "../../providers/gather.ts";
import { follow } from "../../providers/trusted-addresses.ts";
import type { Upstream } from "../../providers/upstream.ts";
import type { RunLine } from "./run-house.ts";

/** Providers that do the work before they answer may take this long. */
const timeouts = { firstByteMs: 600_000, totalMs: 900_000 };
const largestAnswerBytes = 64 * 1024 * 1024;
const fetchTimeoutMs = 120_000;

export type ProviderLine = Extract<RunLine, { connection: unknown }>;
export type Ways = { readonly upstream: Upstream; readonly egress: Egress };

/**
 * One question to the provider. An address that an answer named is asked with the credential only where that may follow,
 * else through the guarded way out. Rejects with `GatheringFailed`, `EgressFailure` or `Problem`.
 */
export async function askProvider(
  line: ProviderLine,
  ask: RunAsk,
  { upstream, egress, signal }: Ways & { readonly signal: AbortSignal },
): Promise<RunAnswer> {
  const named = "url" in ask.target ? ask.target.url : undefined;
  const followed =
    "url" in ask.target
      ? follow(line.connection, line.trustedHosts, ask.target.url)
      : { connection: line.connection, path: ask.target.path };
  if (followed === undefined) return fetchNamed(egress, named ?? "", signal);
  await upstream.ready(followed.connection);
  const request = { method: ask.method, path: followed.path, headers: ask.headers, body: ask.body };
  const call = { connection: followed.connection, request, timeouts, maxBytes: largestAnswerBytes };
  return gather(upstream, call, signal);
}

async function fetchNamed(egress: Egress, url: string, signal: AbortSignal): Promise<RunAnswer> {
  return egress.fetch({ url, maxBytes: largestAnswerBytes, timeoutMs: fetchTimeoutMs, signal });
}
