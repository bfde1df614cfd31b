import type { Caller } from "../../core/caller.ts";
import { creditsAsJsonNumber } from "../../core/credits.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { warningBelow } from "../balance-warning.ts";

/**
 * What is left, as members of an answer, where it can be read: what was done and paid for is not told as a failure for
 * want of it, because clients would have it done again.
 */
export async function balanceMembers(
  { accountId, mode }: Pick<Caller, "accountId" | "mode">,
  ledger: Pick<Ledger, "balances">,
): Promise<Record<string, unknown>> {
  try {
    const { available } = (await ledger.balances(accountId))[mode];
    return {
      _balance_warning: available < warningBelow,
      _remaining_credits: Number(creditsAsJsonNumber(available)),
    };
  } catch {
    return {};
  }
}
