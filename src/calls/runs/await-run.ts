import type { OpenCalls } from "../open-calls.ts";
import type { Begun } from "./begin-run.ts";
import type { RunStore, RunRow } from "./run-store.ts";

/**
 * Waits for a run that was just begun, as long as the request may: until it is over, the time is up, the client left, or
 * this process is told to stop. The run goes on in any case.
 */
export async function awaitRun(
  { row, over }: Begun,
  { openCalls, store }: { readonly openCalls: OpenCalls; readonly store: RunStore },
  { ms, onGone }: { readonly ms: number; readonly onGone: (listener: () => void) => void },
): Promise<RunRow> {
  const place = openCalls.enter();
  const enough = Promise.withResolvers<void>();
  const timer = setTimeout(() => enough.resolve(), ms);
  place.onCut(() => enough.resolve());
  onGone(() => enough.resolve());
  try {
    await Promise.race([over, enough.promise]);
    return (await store.read(row.id)) ?? row;
  } finally {
    clearTimeout(timer);
    place.leave();
  }
}
