import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "../core/problems.ts";

/** How slowly a body may come. What its reader takes of the time is not the client's. */
export type BodyPace = {
  /** A client that sends nothing for so long is cut off, */
  readonly stalledClientMs: number;
  /** and one whose bytes we waited for longer than this, unless they came faster than the slowest. */
  readonly slowest?: SlowestPace;
};

export type SlowestPace = { readonly afterMs: number; readonly bytesPerSecond: number };

/** A byte each minute is no upload; whoever has a telephone's connection in the hills is served. */
const usualSlowest: SlowestPace = { afterMs: 60_000, bytesPerSecond: 8_192 };

/** A piece below this size waits for what has arrived behind it. */
const smallBytes = 4_096;

const ownPace = new WeakSet<IncomingMessage>();

/** Whether the body may take longer than a server gives to all others, because it is read at a pace of its own. */
export function hasOwnPace(request: IncomingMessage): boolean {
  return ownPace.has(request);
}

/**
 * A body as it arrives, small chunks that came together as one piece: their sender chooses how small they are, and each
 * piece costs its way through all readers. Leaves the connection open when its reader stops early, and throws
 * `request_timeout` for a client that is too slow: the refusal has to travel on it.
 */
export function arrivingBytes(
  request: IncomingMessage,
  pace: BodyPace,
): AsyncGenerator<Buffer, void, undefined> {
  ownPace.add(request);
  return piecesOf(request, new Patience(pace));
}

async function* piecesOf(
  request: IncomingMessage,
  patience: Patience,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces: NodeJS.AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await patience.waitFor(pieces.next());
      if (next.done === true) return;
      const { value } = next;
      const bytes = value.length < smallBytes ? await withArrived(value, request) : value;
      patience.reward(bytes.length);
      yield bytes;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("invalid_request", { message: "The request broke off.", cause: error });
  } finally {
    const returned = pieces.return?.();
    // Behind a piece that does not come this would wait for it.
    if (patience.isOver) returned?.catch(() => undefined);
    else await returned;
  }
}

async function withArrived(bytes: Buffer, request: IncomingMessage): Promise<Buffer> {
  // node:http lets us run between two chunks of one piece of the network; behind it all of them lie there.
  if (!request.complete) await nextTurn();
  const more: Buffer | null = request.read();
  return more === null ? bytes : Buffer.concat([bytes, more]);
}

/** What is left of the time that we wait for a client. Each byte earns some. */
class Patience {
  readonly #stalledClientMs: number;
  readonly #slowest: SlowestPace;
  #waitedMs = 0;
  #sizeBytes = 0;
  isOver = false;

  constructor({ stalledClientMs, slowest = usualSlowest }: BodyPace) {
    this.#stalledClientMs = stalledClientMs;
    this.#slowest = slowest;
  }

  reward(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
  }

  async waitFor<Item>(coming: Promise<Item>): Promise<Item> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const startedAt = performance.now();
    const timer = setTimeout(() => {
      this.isOver = true;
      reject(new Problem("request_timeout"));
    }, this.#leftMs());
    try {
      return await Promise.race([coming, late]);
    } finally {
      clearTimeout(timer);
      this.#waitedMs += performance.now() - startedAt;
    }
  }

  #leftMs(): number {
    const { afterMs, bytesPerSecond } = this.#slowest;
    const earnedMs = Math.max(afterMs, (this.#sizeBytes / bytesPerSecond) * 1_000);
    return Math.min(this.#stalledClientMs, earnedMs - this.#waitedMs);
  }
}
