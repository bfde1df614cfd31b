import type { UpstreamHeaders } from "./wire.ts";

/** Bytes of the body as announced; Infinity when they were not. */
export function announcedBytes(headers: UpstreamHeaders): number {
  const length = headers["content-length"];
  return typeof length === "string" ? Number.parseInt(length, 10) : Infinity;
}

export function isEventStream(headers: UpstreamHeaders): boolean {
  const type = headers["content-type"];
  return typeof type === "string" && /^text\/event-stream\b/i.test(type);
}
