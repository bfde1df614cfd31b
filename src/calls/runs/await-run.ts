import { setTimeout as pause } from "node:timers/promises";
import { cannotWriteNow } from "../../ledger/ledger-statements.ts";
import type { OpenCalls } from "../open-calls.ts";
import type { Begun } from "./begin-run.ts";
import type { RunStore, SeenRun } from "./run-store.ts";

/** How often a run is looked at that goes on elsewhere. */
const lookEveryMs = 500;

type House = { readonly openCalls: OpenCalls; readonly store: Pick<RunStore, "read"> };

/**
 * Waits for a run that was just begun, as long as the request may: until it is over, the time is up, the client left, or
 * this process is told to stop. The run goes on in any case. Another node may have taken it meanwhile, or the database may
 * be away: neither ends the wait, and a request that cannot be told how its run stands is told of a job, never of a failure.
 */
export async function awaitRun(
  { row, over }: Pick<Begun, "row" | "over">,
  { openCalls, store }: House,
  { ms, onGone }: { readonly ms: number; readonly onGone: (listener: () => void) => void },
): Promise<SeenRun> {
  const place = openCalls.enter();
  const enough = new AbortController();
  const isEnough = new Promise<void>((resolve) => enough.signal.addEventListener("abort", () => resolve()));
  const end = (): void => enough.abort();
  const timer = setTimeout(end, ms);
  place.onCut(end);
  onGone(end);
  try {
    await Promise.race([over, isEnough]);
    for (;;) {
      const now = await standing(row, store);
      if (now.state === "over" || enough.signal.aborted) return now;
      await Promise.race([pause(lookEveryMs, undefined, { ref: false }), isEnough]);
    }
  } finally {
    clearTimeout(timer);
    place.leave();
  }
}

async function standing(row: SeenRun, store: Pick<RunStore, "read">): Promise<SeenRun> {
  try {
    return (await store.read(row.id)) ?? row;
  } catch (error) {
    if (cannotWriteNow(error)) return row;
    throw error;
  }
}
