import { request as requestPlain } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestSecure } from "node:https";

export type BoundedAnswer = { readonly status: number; readonly bytes: Buffer };

export type GetLimits = {
  readonly maxBytes: number;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/**
 * Reads an address that the operator named, so it may be a private one. Redirects are not followed: the operator can
 * name the right address. Throws the signal's reason, or an Error for a log.
 */
export async function boundedGet(
  url: URL,
  { maxBytes, timeoutMs, signal }: GetLimits,
): Promise<BoundedAnswer> {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await head(url, ending);
    return { status: response.statusCode ?? 0, bytes: await body(response, maxBytes) };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function head(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    request(url, { headers: { accept: "application/json" }, signal })
      .once("response", resolve)
      // Stays: an error nobody hears would end the process.
      .on("error", reject)
      .end();
  });
}

async function body(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
