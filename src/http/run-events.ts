import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { RunEvent, RunRow, RunStore } from "../calls/runs/run-store.ts";
import { shownJob, statusOf } from "../calls/runs/run-view.ts";
import type { DoorHeaders, Visit } from "./door.ts";

const lookEveryMs = 300;

type Following = {
  readonly store: Pick<RunStore, "read" | "events">;
  readonly visit: Visit<unknown>;
  /** Limits and balance. */
  readonly known: DoorHeaders;
  readonly keepAliveMs: number;
  readonly isHeadOnly: boolean;
};

/** Writes what has happened since `Last-Event-ID`, then what happens, until the run is over or the client leaves. */
export async function followEvents(
  first: RunRow,
  response: ServerResponse,
  { store, visit, known, keepAliveMs, isHeadOnly }: Following,
): Promise<void> {
  let last = lastSeen(visit);
  let row = first;
  let isGone = false;
  let writtenAt = performance.now();
  response.once("close", () => (isGone = true));
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
    "x-request-id": visit.requestId,
    ...known,
  });
  response.flushHeaders();
  while (!isGone && !isHeadOnly) {
    // The row first: an end that is seen has its event written already.
    row = (await store.read(row.id)) ?? row;
    for (const event of await store.events(row.id, last)) {
      last = event.sequence;
      // It ended after the row was read.
      if (isEnd(event) && row.state !== "over") row = (await store.read(row.id)) ?? row;
      writtenAt = performance.now();
      response.write(frameOf(event, row));
    }
    if (row.state === "over") break;
    if (performance.now() - writtenAt > keepAliveMs) {
      writtenAt = performance.now();
      response.write(": keep-alive\n\n");
    }
    await pause(lookEveryMs);
  }
  response.end();
}

function isEnd({ kind }: RunEvent): boolean {
  return ["done", "empty", "failed", "canceled"].includes(kind);
}

function frameOf(event: RunEvent, row: RunRow): string {
  const [name, data] = isEnd(event) ? [statusOf(row), shownJob(row)] : [event.kind, event.data];
  return `id: ${event.sequence}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function lastSeen(visit: Visit<unknown>): number {
  const given = Number(visit.headers["last-event-id"] ?? visit.query.get("after") ?? 0);
  return Number.isInteger(given) && given > 0 ? given : 0;
}
