import { decoded } from "./decoding.ts";
import type { Encoding } from "./decoding.ts";
import { EgressFailure } from "./egress-failure.ts";
import type { Reply } from "./exchange.ts";
import type { Journey } from "./journey.ts";

export type BodyLimits = {
  readonly encoding: Encoding | undefined;
  /** Decoded. */
  readonly maxBytes: number;
  readonly journey: Journey;
};

/** What a coding may add to bytes that cannot be made smaller; more is padding without end. */
const codingOverhead = { factor: 1.01, bytes: 65_536 };

/** The decoded body as it comes, not faster than it is taken. However it ends, the journey ends with it. */
export async function* bodyOf(reply: Reply, limits: BodyLimits): AsyncGenerator<Buffer> {
  const { encoding, maxBytes, journey } = limits;
  try {
    const { factor, bytes } = codingOverhead;
    const pieces = encoding
      ? decoded(wired(reply, maxBytes * factor + bytes, journey), encoding)
      : wired(reply, maxBytes, journey);
    yield* atMost(maxBytes, pieces);
  } catch (error) {
    throw journey.failureOf(error);
  } finally {
    journey.end();
  }
}

/** The bytes of the wire. What breaks them is said here, before a decoder only sees that there are no more. */
async function* wired(reply: Reply, maxBytes: number, journey: Journey): AsyncGenerator<Buffer> {
  try {
    yield* atMost(maxBytes, reply.body);
  } catch (error) {
    throw journey.failureOf(error);
  }
  // undici takes a reset for the proper close that a body without length ends with, and our own close may look so too.
  if (!endsByClose(reply)) return;
  if (journey.signal.aborted) throw journey.failureOf(undefined);
  if (reply.broke()) throw new EgressFailure("unreadable", "connection reset");
}

async function* atMost(maxBytes: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let receivedBytes = 0;
  for await (const piece of pieces) {
    receivedBytes += piece.length;
    if (receivedBytes > maxBytes) throw new EgressFailure("too_large", `more than ${maxBytes} bytes`);
    yield piece;
  }
}

function endsByClose({ headers }: Reply): boolean {
  return headers["content-length"] === undefined && headers["transfer-encoding"] === undefined;
}
