import type { Limits, PlanName } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import type { Database } from "../storage/database.ts";
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

export type Accounts = {
  create(wanted: AccountChange & { readonly name: string }): Promise<Account>;
  /** Oldest first. */
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

/** `openBooks` runs before an account is handed out: no account is ever without its books. */
export function accountsOf(database: Database, openBooks: (accountId: string) => Promise<void>): Accounts {
  const rows = () => database.kysely.selectFrom("accounts").selectAll().orderBy("created_at").orderBy("id");
  const read = async (id: string): Promise<Account> => {
    const row = await rows().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new Problem("not_found", { message: "There is no such account." });
    return accountOf(row);
  };
  return {
    read,
    async create({ name, plan, limits }) {
      const id = newId("acc");
      const values = { id, name, plan: plan ?? "free", ...ownLimits(limits) };
      await database.kysely.insertInto("accounts").values(values).execute();
      await openBooks(id);
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
