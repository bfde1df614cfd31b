/** From the main thread to the thread of the embedded database. One is answered before the next is sent. */
export type ToWorker =
  /** Whole messages of PostgreSQL's wire protocol, as the driver wrote them. */
  | { readonly kind: "protocol"; readonly bytes: Uint8Array }
  /** The driver starts a new session: whatever the last one left open or prepared goes away. */
  | { readonly kind: "session" }
  | { readonly kind: "count" }
  | { readonly kind: "close" };

export type FromWorker =
  | { readonly kind: "ready" }
  /** There was no database. Now there is one, and the thread does no more: another one opens it. */
  | { readonly kind: "made" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  | { readonly kind: "session" }
  /** fsync calls since the thread started. */
  | { readonly kind: "count"; readonly fsyncs: number }
  | { readonly kind: "closed" };

export type EmbeddedWorkerData = { readonly directory: string };
