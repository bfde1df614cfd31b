import type { ServerResponse } from "node:http";
import type { KeptAnswer } from "../calls/idempotency/kept-answers.ts";
import type { DoorHeaders } from "./door.ts";
import type { RecordedAnswer } from "./recorded-answer.ts";

/** A larger answer is sent, but not kept. */
export const mostKeptBytes = 1024 * 1024;

/** What belongs to an answer whoever gets it. Limits, balance and the request's id belong to the request. */
const keptHeaders = [
  "cache-control",
  "content-disposition",
  "content-type",
  "location",
  "retry-after",
  "x-accel-buffering",
  "x-content-type-options",
  "x-should-retry",
  "x-skillboss-changed",
  "x-skillboss-cost",
  "x-skillboss-dropped",
  "x-skillboss-max-tokens",
  "x-skillboss-model",
  "x-skillboss-run-id",
] as const;

/** Secrets that we make, of keys and of webhooks: an answer that shows one is not laid into the database. */
const secretForm = /sk-(?:test-)?[\w-]{43}(?![\w-])|whsec_[\w+/]{43}=/;

/** The form in which an answer is kept; without a body when that is too large, or shows a secret. */
export function keptOf({ status, headers, body }: RecordedAnswer): KeptAnswer {
  const given = keptHeaders.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const isSecret = body !== undefined && secretForm.test(body.toString("latin1"));
  return { status, headers: Object.fromEntries(given), body: isSecret ? undefined : body };
}

export type Replay = {
  readonly requestId: string;
  readonly status: number;
  readonly headers: DoorHeaders;
  readonly body: Buffer;
  /** How the caller stands now. */
  readonly known: DoorHeaders;
};

/** A client that does not read holds what it does not take in memory, but no longer than this. */
const stalledClientMs = 60_000;

/** The kept answer once more, in one go. */
export function sendKept(response: ServerResponse, replay: Replay): void {
  const { requestId, status, headers, body, known } = replay;
  response.setTimeout(stalledClientMs);
  response.writeHead(status, {
    ...headers,
    ...known,
    ...(status === 204 ? {} : { "content-length": body.length }),
    "x-request-id": requestId,
    "idempotent-replayed": "true",
  });
  response.end(body);
}
