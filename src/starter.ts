import { microPerCredit } from "./core/credits.ts";
import { modes } from "./core/caller.ts";
import type { Mode } from "./core/caller.ts";
import { starterSecret } from "./identity/operator-token.ts";
import type { House } from "./wiring.ts";

/** Another amount would be another grant under the same id, which the ledger refuses: databases have been given this. */
const starterCredits = 1000n * microPerCredit;
export const owner = "owner";

/** Nodes that make the owner at once make the same one. Those made by earlier versions have ids of chance. */
const ownerId = "acc_00000000000000000000000000000001";

export type StarterHouse = Pick<House, "accounts" | "keys"> & {
  readonly chat: Pick<House["chat"], "ledger">;
  readonly operatorToken: Pick<House["operatorToken"], "token">;
};

/**
 * The first account: `owner` on plan Pro with 1,000 live and 1,000 test credits and a key for each. Each step is taken at
 * every start, because any of them may be the one that a crash left out; those that were taken change nothing, on any
 * number of nodes. Returns the secrets of those keys that were not revoked.
 */
export async function ensureStarter(house: StarterHouse): Promise<Readonly<Partial<Record<Mode, string>>>> {
  const { accounts, chat, keys } = house;
  const found = await accounts.named(owner);
  const { id: accountId } = await accounts.create({ id: found?.id ?? ownerId, name: owner, plan: "pro" });
  const secrets: Partial<Record<Mode, string>> = {};
  for (const mode of modes) {
    const id = `grant_starter_${mode}_${accountId}`;
    await chat.ledger.grant({ id, accountId, mode, amount: starterCredits, reason: "starter credits" });
    const secret = starterSecret(house.operatorToken.token, mode);
    await keys.issueOnce({ accountId, mode, name: "starter", secret });
    if (await keys.exists(secret)) secrets[mode] = secret;
  }
  return secrets;
}
