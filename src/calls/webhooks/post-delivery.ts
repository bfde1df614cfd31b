import { Problem } from "../../core/problems.ts";
import { EgressFailure } from "../../egress/egress.ts";
import type { Egress, EgressStream } from "../../egress/egress.ts";
import type { ClaimedDelivery } from "./delivery-queue.ts";
import { signedHeaders } from "./signature.ts";

/**
 * Why a receiver did not take a message, as its owner reads it.
 * `status`: an answer that is neither 2xx nor one of the next two. `redirect`: 3xx, which is not followed. `gone`: 410.
 * `url_not_allowed`: the address may not be asked, or leads to one that may not.
 * `refused`, `timeout`, `too_large`, `unreadable`: there was no answer, see `EgressFailureKind`.
 * `internal_error`: a fault of this server.
 */
export type DeliveryFault =
  | "status"
  | "redirect"
  | "gone"
  | "url_not_allowed"
  | "refused"
  | "timeout"
  | "too_large"
  | "unreadable"
  | "internal_error";

export type Posted =
  | { readonly result: "delivered"; readonly status: number }
  | {
      /** `refused`: the receiver wants it never again. */
      readonly result: "refused" | "failed";
      readonly status: number | null;
      readonly fault: DeliveryFault;
      /** How long the receiver asked us to wait; 0 when it did not. */
      readonly askedMs: number;
      /** The beginning of its answer, for the log. */
      readonly said: string;
    }
  /** This process stops. The receiver may or may not have the message. */
  | { readonly result: "interrupted" };

export type Post = {
  readonly egress: Pick<Egress, "stream">;
  readonly keys: readonly Buffer[];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** Of an answer nothing but its status counts; so much of its body is taken, out of courtesy and for the log. */
const mostReadBytes = 64 * 1024;
const keptBytes = 1024;
const saidCharacters = 200;

/** One try. Every failure of the receiver is an answer here, never an error. */
export async function postDelivery(message: ClaimedDelivery, post: Post): Promise<Posted> {
  const { egress, keys, now, timeoutMs, signal } = post;
  try {
    const answer = await egress.stream({
      url: message.url,
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...signedHeaders({ id: message.id, body: message.body, at: now }, keys),
      },
      body: message.body,
      // Whatever its size, an answer with a status is an answer; how much of it is read is decided below.
      maxBytes: Number.MAX_SAFE_INTEGER,
      timeoutMs,
      maxRedirects: 0,
      signal,
    });
    return judged(answer, await beginningOf(answer), now);
  } catch (error) {
    return withoutAnswer(error);
  }
}

function judged({ status, headers }: EgressStream, said: string, now: number): Posted {
  if (status >= 200 && status < 300) return { result: "delivered", status };
  if (status === 410) return { result: "refused", status, fault: "gone", askedMs: 0, said };
  const fault = status >= 300 && status < 400 ? "redirect" : "status";
  const mayAsk = status === 429 || status === 503;
  const askedMs = mayAsk ? retryAfterMs(headers["retry-after"], now) : 0;
  return { result: "failed", status, fault, askedMs, said };
}

function withoutAnswer(error: unknown): Posted {
  const failed = (fault: DeliveryFault): Posted => ({
    result: "failed",
    status: null,
    fault,
    askedMs: 0,
    said: "",
  });
  if (error instanceof EgressFailure)
    return error.kind === "aborted" ? { result: "interrupted" } : failed(error.kind);
  if (error instanceof Problem && error.code === "url_not_allowed") return failed("url_not_allowed");
  throw error;
}

/** Seconds or a date (RFC 9110 §10.2.3); 0 for anything else. */
export function retryAfterMs(text: string | undefined, now: number): number {
  const given = text?.trim() ?? "";
  if (/^\d{1,12}$/.test(given)) return Number(given) * 1000;
  const date = /^[A-Za-z]{3,9},? /.test(given) ? Date.parse(given) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

/** Reads to the end where that is near, so that the receiver is not cut off while it answers. */
async function beginningOf({ body }: EgressStream): Promise<string> {
  const kept: Buffer[] = [];
  let keptSoFar = 0;
  let readBytes = 0;
  try {
    for await (const piece of body) {
      if (keptSoFar < keptBytes) kept.push(piece.subarray(0, keptBytes - keptSoFar));
      keptSoFar = Math.min(keptBytes, keptSoFar + piece.length);
      readBytes += piece.length;
      if (readBytes >= mostReadBytes) break;
    }
  } catch {
    // The status was there, and that is all that counts.
  }
  return Buffer.concat(kept).toString("utf8").slice(0, saidCharacters);
}
