export type UpstreamStage = "connect" | "first_byte" | "idle" | "total";

/**
 * Why there is no (more) answer. `refused`: nothing was sent, so another attempt cannot do anything twice.
 * `reset`: the connection ended before the answer did. `timeout`: the stage's time ran out. `aborted`: this process
 * is stopping or failed itself. `unreadable`: bytes that are not HTTP or not the encoding they claim. `too_large`: more of
 * them than are ever read.
 */
export type UpstreamFailure = {
  readonly kind: "refused" | "reset" | "timeout" | "aborted" | "unreadable" | "too_large";
  readonly stage: UpstreamStage;
  /** For logs: an error code or our own words, never the provider's bytes and never a secret. */
  readonly detail: string;
};

const unreadableMessages: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

/** Reads undici's and the system's errors. `sent`: the request was handed to an open connection. */
export function kindOfError(error: Error, sent: boolean): UpstreamFailure["kind"] {
  const code = codeOf(error);
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") return "aborted";
  if (!sent) return code === "ETIMEDOUT" || code === "UND_ERR_CONNECT_TIMEOUT" ? "timeout" : "refused";
  // llhttp's words for a chunked body whose connection closed too early.
  if (error.message.includes("Invalid EOF state")) return "reset";
  if (error instanceof TypeError || error.name === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW") {
    return "unreadable";
  }
  return unreadableMessages.has(error.message) ? "unreadable" : "reset";
}

export function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
