import type { Kysely } from "kysely";
import type { Limits, PlanName } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import type { Database } from "../storage/database.ts";
import type { Tables } from "../storage/tables.ts";
import { limitsOf, ownLimits } from "./plans.ts";
import type { LimitsWish, OwnLimits } from "./plans.ts";

export type Account = {
  readonly id: string;
  readonly name: string;
  readonly plan: PlanName;
  /** What applies to its keys. */
  readonly limits: Limits;
  readonly createdAt: Date;
};

export type AccountChange = {
  readonly name?: string | undefined;
  readonly plan?: PlanName | undefined;
  readonly limits?: LimitsWish | undefined;
};

export type NewAccount = AccountChange & {
  readonly name: string;
  /** Chance, unless given. */
  readonly id?: string | undefined;
};

export type Accounts = {
  /** An id is taken once: whoever asks again, or at the same time, gets the account that has it, as it is. */
  create(wanted: NewAccount): Promise<Account>;
  /** Oldest first; all of them, or so many. */
  list(most?: number): Promise<readonly Account[]>;
  /** Throws `not_found`. */
  read(id: string): Promise<Account>;
  named(name: string): Promise<Account | undefined>;
  change(id: string, change: AccountChange): Promise<Account>;
};

type AccountRow = OwnLimits & {
  readonly id: string;
  readonly name: string;
  readonly plan: PlanName;
  readonly created_at: Date;
};

/** Opens the books of an account that have not been opened yet, in the transaction that makes it. */
type OpenBooks = (transaction: Kysely<Tables>, accountId: string) => Promise<void>;

/** An account and its books are one commit: after a crash there are both or neither. */
export function accountsOf(database: Database, openBooks: OpenBooks): Accounts {
  const rows = () => database.kysely.selectFrom("accounts").selectAll().orderBy("created_at").orderBy("id");
  const read = async (id: string): Promise<Account> => {
    const row = await rows().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new Problem("not_found", { message: "There is no such account." });
    return accountOf(row);
  };
  return {
    read,
    async create({ id = newId("acc"), name, plan, limits }) {
      const values = { id, name, plan: plan ?? "free", ...ownLimits(limits) };
      await database.kysely.transaction().execute(async (transaction) => {
        await transaction
          .insertInto("accounts")
          .values(values)
          .onConflict((taken) => taken.column("id").doNothing())
          .execute();
        await openBooks(transaction, id);
      });
      return read(id);
    },
    list: async (most) => (await (most === undefined ? rows() : rows().limit(most)).execute()).map(accountOf),
    async named(name) {
      const row = await rows().where("name", "=", name).executeTakeFirst();
      return row === undefined ? undefined : accountOf(row);
    },
    async change(id, change) {
      const values = Object.fromEntries(
        Object.entries({ name: change.name, plan: change.plan, ...change.limits }).filter(
          ([, value]) => value !== undefined,
        ),
      );
      if (Object.keys(values).length > 0)
        await database.kysely.updateTable("accounts").set(values).where("id", "=", id).execute();
      return read(id);
    },
  };
}

function accountOf(row: AccountRow): Account {
  return {
    id: row.id,
    name: row.name,
    plan: row.plan,
    limits: limitsOf(row.plan, row),
    createdAt: row.created_at,
  };
}
