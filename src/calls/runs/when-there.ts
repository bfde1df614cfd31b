import { cannotWriteNow } from "../../ledger/ledger-statements.ts";
import type { DrivenRun } from "./driven-run.ts";
import type { RunHouse } from "./run-house.ts";

const firstPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Does what needs the database, and while that is away or cannot write does it again: giving up would throw away what a
 * provider has done, and what only this process knows. Only for what may be done twice. Throws when the run is stopped.
 */
export async function whenThere<Done>(
  run: DrivenRun,
  house: RunHouse,
  act: () => Promise<Done>,
): Promise<Done> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await act();
    } catch (error) {
      if (!cannotWriteNow(error) || run.stopped.aborted) throw error;
      if (failures === 0) house.log.warn({ run_id: run.row.id, err: error }, "a run waits for the database");
      await run.wait(Math.min(firstPauseMs * 2 ** failures, longestPauseMs));
    }
  }
}
