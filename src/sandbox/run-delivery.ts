import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Fault } from "./directives.ts";
import type { Emulator } from "./emulator.ts";
import { isObject } from "./json.ts";
import { Refusal } from "./refusal.ts";
import type { RunAnswer } from "./run-answer.ts";
import type { RunRequest } from "./run-request.ts";

type Delivery = {
  readonly request: RunRequest;
  readonly response: ServerResponse;
  readonly emulator: Emulator;
  /** Orders are for answers: a refusal goes out as it is. */
  readonly isRefusal?: true;
};

type Sent = { readonly type: string; readonly pieces: readonly Buffer[]; readonly isWhole: boolean };

/** Parts of a stream that are sent before an ordered interruption. */
const partsBeforeFault = 3;

/** Sends an answer, and does to it what was ordered. */
export async function deliverRun(answer: RunAnswer, delivery: Delivery): Promise<void> {
  const { request, response, isRefusal } = delivery;
  const fault = isRefusal === true ? undefined : request.orders.fault;
  if (fault === "error") throw new Refusal(500, "The sandbox was ordered to fail.");
  const isSilent = fault === "nousage";
  const names = new Set(isSilent ? (delivery.emulator.usageNames ?? []) : []);
  const headers = Object.entries(answer.headers).filter(([name]) => !names.has(name));
  const sent = sentOf(isSilent ? withoutNames(answer, names) : answer, fault);
  if (sent === undefined) {
    response.writeHead(answer.status, Object.fromEntries(headers));
    response.end();
    return;
  }
  response.writeHead(answer.status, {
    ...Object.fromEntries(headers),
    "content-type": sent.type,
    ...(sent.isWhole ? { "content-length": lengthOf(sent, fault) } : {}),
  });
  await sendPieces(sent, { request, response, isCut: fault === "cut" });
}

function sentOf({ content }: RunAnswer, fault: Fault | undefined): Sent | undefined {
  const isEmpty = fault === "empty";
  switch (content.kind) {
    case "nothing":
      return undefined;
    case "json": {
      const value = Array.isArray(content.value) ? [] : {};
      const text = JSON.stringify(isEmpty ? value : content.value);
      return whole("application/json", Buffer.from(text), fault);
    }
    case "bytes":
      return whole(content.type, isEmpty ? Buffer.alloc(0) : content.bytes, fault);
    case "parts": {
      const pieces = isEmpty ? [] : content.parts.map((part) => Buffer.from(part));
      const isBroken = fault === "cut" || fault === "malformed";
      const kept = isBroken ? pieces.slice(0, partsBeforeFault) : pieces;
      return { type: content.type, pieces: kept, isWhole: false };
    }
  }
}

/** A body of known length; the first half of it when it is to break off. */
function whole(type: string, bytes: Buffer, fault: Fault | undefined): Sent {
  const isHalf = fault === "cut" || fault === "malformed";
  return { type, pieces: [isHalf ? bytes.subarray(0, bytes.length >> 1) : bytes], isWhole: true };
}

/** A cut body is announced longer than it is, a malformed one is complete as far as HTTP goes. */
function lengthOf({ pieces }: Sent, fault: Fault | undefined): number {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return fault === "cut" ? length * 2 + 1 : length;
}

type Line = { readonly request: RunRequest; readonly response: ServerResponse; readonly isCut: boolean };

async function sendPieces({ pieces }: Sent, { request, response, isCut }: Line): Promise<void> {
  const { signal, orders } = request;
  for (const [at, piece] of pieces.entries()) {
    signal.throwIfAborted();
    if (isCut && at === pieces.length - 1) {
      // Through the callback of a write, so that what was sent leaves before the connection goes.
      response.write(piece, () => response.destroy());
      return;
    }
    if (!response.write(piece)) await once(response, "drain", { signal });
    if (orders.paceMs > 0 && at < pieces.length - 1) await wait(orders.paceMs, undefined, { signal });
  }
  if (isCut) response.destroy();
  else response.end();
}

function withoutNames(answer: RunAnswer, names: ReadonlySet<string>): RunAnswer {
  const { content } = answer;
  if (content.kind !== "json") return answer;
  return { ...answer, content: { kind: "json", value: strippedOf(content.value, names) } };
}

function strippedOf(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => strippedOf(item, names));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !names.has(name));
  return Object.fromEntries(kept.map(([name, member]) => [name, strippedOf(member, names)]));
}
