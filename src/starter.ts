import { microPerCredit } from "./core/credits.ts";
import { modes } from "./core/caller.ts";
import type { Mode } from "./core/caller.ts";
import { starterSecret } from "./identity/operator-token.ts";
import type { House } from "./wiring.ts";

const starterCredits = 1000n * microPerCredit;
export const owner = "owner";

/**
 * The first account: `owner` on plan Pro with 1,000 live and 1,000 test credits and a key for each. Doing it again changes
 * nothing: grants and keys have fixed identities. Returns the secrets of those keys that were not revoked.
 */
export async function ensureStarter(house: House): Promise<Readonly<Partial<Record<Mode, string>>>> {
  const found = await house.accounts.named(owner);
  const account = found ?? (await house.accounts.create({ name: owner, plan: "pro" }));
  const secrets: Partial<Record<Mode, string>> = {};
  for (const mode of modes) {
    const id = `grant_starter_${mode}_${account.id}`;
    const secret = starterSecret(house.operatorToken.token, mode);
    if (found === undefined) {
      await house.chat.ledger.grant({
        id,
        accountId: account.id,
        mode,
        amount: starterCredits,
        reason: "starter credits",
      });
      await house.keys.issue({ accountId: account.id, mode, name: "starter", secret });
    }
    if (await house.keys.exists(secret)) secrets[mode] = secret;
  }
  return secrets;
}
