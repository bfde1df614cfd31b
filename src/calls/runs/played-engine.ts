import { Problem } from "../../core/problems.ts";
import { addressesFor } from "../../engines/named-addresses.ts";
import type { DrivenRun } from "./driven-run.ts";
import { inputsOf } from "./driven-run.ts";
import type { RunHouse } from "./run-house.ts";

/**
 * Refuses the addresses that the engine itself would refuse, in its words, where the sandbox plays it. They are judged by
 * their text: where a name leads is not asked, because nothing of a test call leaves the machine.
 */
export async function judgeAddresses(run: DrivenRun, house: RunHouse, engine: string): Promise<void> {
  const owner = { accountId: run.row.account_id, mode: run.row.mode };
  for (const { param, url, mayBeOurs } of addressesFor(engine, inputsOf(run))) {
    if (mayBeOurs && (await house.files.hasOwn(url, owner))) continue;
    try {
      house.egress.check(url);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Problem(error.code, { message: error.message, param, cause: error });
    }
  }
}
