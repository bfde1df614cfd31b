import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { isStatus } from "./directives.ts";
import type { Directives } from "./directives.ts";
import type { Exchange, Headers } from "./exchange.ts";
import { sendJson } from "./exchange.ts";
import { Refusal } from "./refusal.ts";

/** A stream in the order it is sent. `deltas` are what a pace spaces out and what a fault interrupts. */
export type StreamFrames = {
  readonly head: readonly string[];
  readonly deltas: readonly string[];
  readonly tail: readonly string[];
  /** A frame whose JSON breaks off. */
  readonly malformed: string;
  /** A frame that tells an error. */
  readonly error: string;
};

/** Frames that are sent before an ordered interruption. */
const deltasBeforeFault = 3;
/** Frames are joined to writes of about this size, so that a fast stream takes few system calls. */
const writeLength = 32_768;

/** Waits as ordered, refuses as ordered, and otherwise lets the answer be made. */
export async function obey(
  { fault, delayMs }: Directives,
  { signal }: Pick<Exchange, "signal">,
): Promise<void> {
  if (delayMs > 0) await wait(delayMs, undefined, { signal });
  if (fault === "hang") {
    signal.throwIfAborted();
    await once(signal, "abort");
    signal.throwIfAborted();
  }
  if (isStatus(fault)) {
    throw new Refusal(Number(fault), `The sandbox was ordered to fail with ${fault}.`);
  }
}

export function deliverWhole(
  exchange: Exchange,
  answer: { readonly body: unknown; readonly headers: Headers },
  directives: Directives,
): void {
  const { response } = exchange;
  if (directives.fault === "error") throw new Refusal(500, "The sandbox was ordered to fail.");
  if (directives.fault !== "malformed" && directives.fault !== "cut") {
    sendJson(response, 200, answer);
    return;
  }
  const text = JSON.stringify(answer.body);
  const half = text.slice(0, text.length / 2);
  const isCut = directives.fault === "cut";
  response.writeHead(200, {
    ...answer.headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(isCut ? text : half),
  });
  if (isCut) response.write(half, () => response.destroy());
  else response.end(half);
}

export async function deliverStream(
  exchange: Exchange,
  answer: { readonly frames: StreamFrames; readonly headers: Headers },
  directives: Directives,
): Promise<void> {
  const { response } = exchange;
  const { head, deltas, tail, malformed, error } = answer.frames;
  const { fault, paceMs } = directives;
  const isBroken = fault === "cut" || fault === "malformed" || fault === "error";
  response.writeHead(200, {
    ...answer.headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  const sent = isBroken ? deltas.slice(0, deltasBeforeFault) : deltas;
  if (paceMs === 0) {
    await write(exchange, [...head, ...sent]);
  } else {
    await write(exchange, head);
    for (const delta of sent) {
      await write(exchange, [delta]);
      await wait(paceMs, undefined, { signal: exchange.signal });
    }
  }
  if (fault === "cut") {
    // Through the callback of a write, so that what was sent leaves before the connection goes.
    response.write(": cut\n\n", () => response.destroy());
    return;
  }
  if (isBroken) await write(exchange, [fault === "error" ? error : malformed]);
  else await write(exchange, tail);
  response.end();
}

/** Honours back-pressure; throws when the client has left. */
async function write({ response, signal }: Exchange, frames: readonly string[]): Promise<void> {
  let waiting = "";
  for (const [at, frame] of frames.entries()) {
    waiting += frame;
    if (waiting.length < writeLength && at < frames.length - 1) continue;
    signal.throwIfAborted();
    if (!response.write(waiting)) await once(response, "drain", { signal });
    waiting = "";
  }
}
