import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { RunEvent, SeenRun, RunStore } from "../calls/runs/run-store.ts";
import { shownJob, statusOf } from "../calls/runs/run-view.ts";
import type { DoorHeaders, Visit } from "./door.ts";
import { SharedReads } from "../core/shared-reads.ts";

const lookEveryMs = 300;
/** A little less, so that who looks again does not find what was there before. */
const freshMs = 250;

/** A run and what has happened to it behind an event. */
export type Look = { readonly row: SeenRun | undefined; readonly events: readonly RunEvent[] };

/**
 * Looks at runs for all who follow them: those who have seen the same events of the same run share a look, so that what
 * the database has to do follows from the number of runs and not of followers.
 */
export function sharedLooks(
  store: Pick<RunStore, "read" | "events">,
): (id: string, after: number) => Promise<Look> {
  const looks = new SharedReads<Look>(freshMs, async (key) => {
    const [id = "", after] = key.split(" ");
    // The row first: an end that is seen has its event written already.
    const row = await store.read(id);
    const events = await store.events(id, Number(after));
    // It ended after the row was read.
    const isStale = row?.state !== "over" && events.some(isEnd);
    return { row: isStale ? await store.read(id) : row, events };
  });
  return (id, after) => looks.get(`${id} ${after}`);
}

type Following = {
  readonly look: ReturnType<typeof sharedLooks>;
  readonly visit: Visit<unknown>;
  /** Limits and balance. */
  readonly known: DoorHeaders;
  readonly keepAliveMs: number;
  readonly isHeadOnly: boolean;
  /** This process is told to stop: whoever follows goes on elsewhere, from the last event. */
  readonly isStopping: () => boolean;
};

/**
 * Writes what has happened since `Last-Event-ID`, then what happens, until the run is over, the client leaves, or a stop,
 * which would otherwise wait for it. Of a run that is over and has nothing more to tell it says so with 204: after any 200
 * an `EventSource` asks again, for ever (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export async function followEvents(
  first: SeenRun,
  response: ServerResponse,
  { look, visit, known, keepAliveMs, isHeadOnly, isStopping }: Following,
): Promise<void> {
  let last = lastSeen(visit);
  let row = first;
  let isGone = false;
  let writtenAt = performance.now();
  response.once("close", () => (isGone = true));
  const isTold = first.state === "over" && (await look(row.id, last)).events.length === 0;
  const head = { "cache-control": "no-cache", "x-request-id": visit.requestId, ...known };
  if (isTold) return void response.writeHead(204, head).end();
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no",
    ...head,
  });
  response.flushHeaders();
  while (!isGone && !isHeadOnly) {
    const seen = await look(row.id, last);
    row = seen.row ?? row;
    for (const event of seen.events) {
      last = event.sequence;
      writtenAt = performance.now();
      response.write(frameOf(event, row));
    }
    if (row.state === "over" || isStopping()) break;
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

function frameOf(event: RunEvent, row: SeenRun): string {
  const [name, data] = isEnd(event) ? [statusOf(row), shownJob(row)] : [event.kind, event.data];
  return `id: ${event.sequence}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Events are numbered in the database's integers. */
const largestNumber = 2 ** 31 - 1;

/** 0 for what is no event's number. */
function lastSeen(visit: Visit<unknown>): number {
  const given = Number(visit.headers["last-event-id"] ?? visit.query.get("after") ?? 0);
  return Number.isInteger(given) && given > 0 && given <= largestNumber ? given : 0;
}
