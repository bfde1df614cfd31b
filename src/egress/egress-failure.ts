/**
 * `refused`: no such name, no connection, or it ended before an answer began; also too many redirects.
 * `timeout`: the time of the request, of connecting, or between two pieces of the body ran out.
 * `too_large`: more than `maxBytes`, or more headers than are read.
 * `unreadable`: no HTTP, not the encoding it claims, or broken off.
 * `aborted`: by the request's signal, or because this process stops.
 */
export type EgressFailureKind = "refused" | "timeout" | "too_large" | "unreadable" | "aborted";

/** An address that may be fetched gave no usable answer. What the customer reads about it is the caller's to say. */
export class EgressFailure extends Error {
  readonly kind: EgressFailureKind;
  /** For logs: an error code or our own words, never bytes of the answer. */
  readonly detail: string;

  constructor(kind: EgressFailureKind, detail: string) {
    super(`${kind}: ${detail}`);
    this.name = "EgressFailure";
    this.kind = kind;
    this.detail = detail;
  }
}

/** How undici says that what came is no HTTP: by name, by code, or only by message. */
const noHttp: ReadonlySet<string> = new Set([
  "HTTPParserError",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "bad response",
  "bad upgrade",
]);

/** Reads the system's and undici's errors; `begun`: the head of an answer was there already. */
export function failureFrom(error: unknown, begun: boolean): EgressFailure {
  if (error instanceof EgressFailure) return error;
  if (!(error instanceof Error)) return new EgressFailure("refused", "unknown");
  const code = codeOf(error);
  if (code === "UND_ERR_HEADERS_OVERFLOW") return new EgressFailure("too_large", "headers");
  if (code === "UND_ERR_BODY_TIMEOUT") return new EgressFailure("timeout", "the body stood still");
  if (code === "ETIMEDOUT") return new EgressFailure("timeout", code);
  const isNoHttp = [error.name, code, error.message].some((sign) => noHttp.has(sign));
  return new EgressFailure(begun || isNoHttp ? "unreadable" : "refused", code);
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
