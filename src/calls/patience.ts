import type { ChatCall } from "../core/chat.ts";
import type { ChatModel } from "../core/model.ts";
import type { UpstreamTimeouts } from "../providers/upstream.ts";

/** How long a provider may be silent, in milliseconds. */
export type Patience = {
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** The same where silence is work: as much as the answer may take, but not more than this. */
  readonly longestFirstByteMs: number;
  readonly longestIdleMs: number;
};

/** Slower than what providers offer; most make 50 to 200 a second. */
const tokensPerSecond = 30;

/**
 * What a call may wait beyond the usual. A whole answer has no first byte before its last token is made; a model that
 * reasons says nothing until it has thought, before or after it has begun. Undefined: the usual.
 */
export function patienceFor(
  { stream, maxTokens }: Pick<ChatCall, "stream" | "maxTokens">,
  { capabilities }: { readonly capabilities: Pick<ChatModel["capabilities"], "reasoning"> },
  patience: Patience,
): Partial<UpstreamTimeouts> | undefined {
  if (stream && !capabilities.reasoning) return undefined;
  const makingMs = Math.ceil((maxTokens / tokensPerSecond) * 1000);
  const firstByteMs = Math.min(patience.firstByteMs + makingMs, patience.longestFirstByteMs);
  return stream
    ? { firstByteMs, idleMs: Math.min(patience.idleMs + makingMs, patience.longestIdleMs) }
    : { firstByteMs };
}
