import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../core/problems.ts";

/** A piece below this size waits for what has arrived behind it. */
const smallBytes = 4_096;

/**
 * A body as it arrives, small chunks that came together as one piece: their sender chooses how small they are, and each
 * piece costs its way through all readers. Leaves the connection open when its reader stops early: the refusal has to
 * travel on it. A client that sends nothing for too long is cut off; the time that the reader takes is not the client's.
 */
export async function* arrivingBytes(
  request: IncomingMessage,
  stalledClientMs: number,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces: NodeJS.AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await nextOf(pieces, request, stalledClientMs);
      if (next.done === true) return;
      yield next.value.length < smallBytes ? await withArrived(next.value, request) : next.value;
    }
  } finally {
    await pieces.return?.();
  }
}

async function nextOf(
  pieces: NodeJS.AsyncIterator<Buffer>,
  request: IncomingMessage,
  stalledClientMs: number,
): Promise<IteratorResult<Buffer>> {
  const timer = setTimeout(() => request.destroy(), stalledClientMs);
  try {
    return await pieces.next();
  } catch (error) {
    throw new Problem("invalid_request", { message: "The request broke off.", cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function withArrived(bytes: Buffer, request: IncomingMessage): Promise<Buffer> {
  // node:http lets us run between two chunks of one piece of the network; behind it all of them lie there.
  if (!request.complete) await nextTurn();
  const more: Buffer | null = request.read();
  return more === null ? bytes : Buffer.concat([bytes, more]);
}
