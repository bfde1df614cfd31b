import type { Upstream, UpstreamCall, UpstreamFailure } from "./upstream.ts";
import type { UpstreamHeaders } from "./wire.ts";

export type Gathered = {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly bytes: Buffer;
};

/** The connection failed before the answer was whole. `failure` tells how far it came. */
export class GatheringFailed extends Error {
  readonly failure: UpstreamFailure;
  constructor(failure: UpstreamFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

/** Hears an answer while it comes, and has no say in it. */
export type Listener = {
  head(status: number, headers: UpstreamHeaders): void;
  /** The bytes may be kept, not changed. */
  bytes(piece: Buffer): void;
};

type Options = { readonly signal?: AbortSignal; readonly listener?: Listener | undefined };

/** Sends one request and gathers its answer, whatever the status. Rejects with `GatheringFailed`. */
export function gather(
  upstream: Pick<Upstream, "send">,
  call: UpstreamCall,
  { signal, listener }: Options = {},
): Promise<Gathered> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let status = 0;
    let headers: UpstreamHeaders = {};
    const exchange = upstream.send(call, {
      onHead(told, given) {
        status = told;
        headers = given;
        listener?.head(told, given);
      },
      onBytes(bytes) {
        parts.push(bytes);
        listener?.bytes(bytes);
        return true;
      },
      onEnd() {
        signal?.removeEventListener("abort", leave);
        resolve({ status, headers, bytes: Buffer.concat(parts) });
      },
      onFailure(failure) {
        signal?.removeEventListener("abort", leave);
        reject(new GatheringFailed(failure));
      },
    });
    function leave(): void {
      exchange.abort();
      reject(new GatheringFailed({ kind: "aborted", stage: "idle", detail: "given up" }));
    }
    if (signal?.aborted === true) leave();
    else signal?.addEventListener("abort", leave, { once: true });
  });
}
