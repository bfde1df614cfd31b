import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";

/** Codes of failures that the server did not tell but the client saw. */
export type ClientCode = "answer_broken" | "unreadable_answer";

export type ClientErrorParts = {
  readonly status: number;
  /** The `error` object of the API's answer, with whatever further members it has. */
  readonly error: JsonObject;
  readonly requestId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
};

/** The server answered, but with a refusal or failure, or with something that is not an answer of the API. */
export class ClientError extends Error {
  /** Of the HTTP answer: 200 when the failure came inside a stream. */
  readonly status: number;
  readonly code: string;
  /** The member of the request that is at fault. */
  readonly param: string | undefined;
  readonly requestId: string | undefined;
  /** Undefined as well where asking again is in vain. */
  readonly retryAfterSeconds: number | undefined;
  /** The `error` object as the API gave it. */
  readonly error: JsonObject;

  constructor(parts: ClientErrorParts) {
    const { status, error } = parts;
    super(textOf(error, "message") ?? `The server answered with status ${status}.`, { cause: parts.cause });
    this.name = "ClientError";
    this.status = status;
    this.code = textOf(error, "code") ?? "unknown";
    this.param = textOf(error, "param");
    this.requestId = textOf(error, "request_id") ?? parts.requestId;
    this.retryAfterSeconds = parts.retryAfterSeconds;
    this.error = error;
  }
}

/** Nothing answers at the address. */
export class ServerUnreachable extends Error {
  readonly url: string;
  /** The system's word for it, such as ECONNREFUSED. */
  readonly reason: string | undefined;

  constructor(url: string, cause: unknown) {
    const why = reasonOf(cause);
    super(
      `No server answers at ${url}${why === undefined ? "" : ` (${why})`}. ` +
        "Start it with `skillboss serve`, or check the address.",
      { cause },
    );
    this.name = "ServerUnreachable";
    this.url = url;
    this.reason = why;
  }
}

/** No connection came about: the server has not seen the request. */
const unsent: readonly unknown[] = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "bad port",
];

/**
 * Whether the server may have done what was asked although its answer is not here: the connection broke, or a proxy gave up
 * on it.
 */
export function isAnswerLost(error: unknown): boolean {
  if (error instanceof ServerUnreachable) return !unsent.includes(error.reason);
  const foreign: readonly string[] = ["answer_broken", "unreadable_answer"] satisfies readonly ClientCode[];
  return error instanceof ClientError && foreign.includes(error.code);
}

function textOf(error: JsonObject, member: string): string | undefined {
  const value = error[member];
  return typeof value === "string" ? value : undefined;
}

/** The system's code, such as ECONNREFUSED, or what else fetch hides in the cause of its error. */
function reasonOf(error: unknown): string | undefined {
  const inner = error instanceof Error ? error.cause : undefined;
  return isJsonObject(inner) ? (textOf(inner, "code") ?? textOf(inner, "message")) : undefined;
}
