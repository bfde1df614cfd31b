import type { Kysely } from "kysely";
import { modes } from "../core/caller.ts";
import { Problem } from "../core/problems.ts";
import type { Database, Statement } from "../storage/database.ts";
import type { Tables } from "../storage/tables.ts";
import { runAgain } from "./ledger-statements.ts";
import type { Balances, Grant } from "./ledger.ts";

/** 10⁹ credits. Far above any sale, far below where the sum of many grants would leave 64 bits. */
const largestGrant = 1_000_000_000_000_000n;

const giveCredits: Statement = {
  name: "ledger_grant",
  text: "select grant_credits($1, $2, $3, $4, $5) as given",
};

const nothing: Balances = { live: { available: 0n, held: 0n }, test: { available: 0n, held: 0n } };

const noAccount = (): Problem => new Problem("not_found", { message: "There is no such account." });

export async function grantCredits(database: Database, grant: Grant): Promise<Balances> {
  if (grant.amount <= 0n || grant.amount > largestGrant) {
    throw new Problem("invalid_request", {
      message: "A grant is more than zero and at most 1,000,000,000 credits.",
      param: "amount",
    });
  }
  const { id, accountId, mode, amount, reason } = grant;
  const rows = await runAgain(database, giveCredits, [id, accountId, mode, amount.toString(), reason]);
  const given = rows[0]?.["given"];
  if (given === null) throw noAccount();
  if (given === false) throw new Problem("idempotency_key_reused");
  return balancesOfOne(database, accountId);
}

/** Part of making an account, in its transaction. Opening the same books again changes nothing. */
export async function openBooks(transaction: Kysely<Tables>, accountId: string): Promise<void> {
  await transaction
    .insertInto("books")
    .values(modes.map((mode) => ({ account_id: accountId, mode })))
    .onConflict((opened) => opened.doNothing())
    .execute();
}

export async function balancesOfOne(database: Database, accountId: string): Promise<Balances> {
  const balances = (await readBalances(database, [accountId])).get(accountId);
  if (balances === undefined) throw noAccount();
  return balances;
}

/** Accounts without books are left out. */
export async function readBalances(
  database: Database,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, Balances>> {
  const found = new Map<string, Balances>();
  if (accountIds.length === 0) return found;
  const rows = await database.kysely
    .selectFrom("books")
    .select(["account_id", "mode", "available", "held"])
    .where("account_id", "in", accountIds)
    .execute();
  for (const { account_id: accountId, mode, available, held } of rows) {
    found.set(accountId, { ...(found.get(accountId) ?? nothing), [mode]: { available, held } });
  }
  return found;
}
