import { createHash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Limits, Mode, PlanName } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import type { Database } from "../storage/database.ts";
import type { Tables } from "../storage/tables.ts";
import { limitsOf, ownLimits, plans } from "./plans.ts";
import type { LimitsWish, OwnLimits } from "./plans.ts";

export type Key = {
  readonly id: string;
  readonly accountId: string;
  /** The beginning of the secret, enough to recognise it by. */
  readonly prefix: string;
  readonly name: string | null;
  readonly mode: Mode;
  readonly limits: Limits;
  readonly models: readonly string[] | null;
  readonly createdAt: Date;
};

export type KeyWish = {
  readonly accountId: string;
  readonly mode: Mode;
  readonly name?: string | undefined;
  readonly limits?: LimitsWish | undefined;
  readonly models?: readonly string[] | undefined;
  /** Only for the starter keys, which are derived from the operator token; random otherwise. */
  readonly secret?: string | undefined;
};

export type Keys = {
  /** The secret is in this answer and nowhere else: only its SHA-256 is kept. */
  issue(wish: KeyWish): Promise<{ readonly key: Key; readonly secret: string }>;
  /**
   * Makes the key unless the account has, or ever had, one of this mode and name: asking again changes nothing, nor does
   * asking at the same time elsewhere. The plan's number of keys does not matter.
   */
  issueOnce(wish: KeyWish & { readonly name: string; readonly secret: string }): Promise<void>;
  /** The keys of an account that are not revoked, oldest first. */
  list(accountId: string): Promise<readonly Key[]>;
  /** Throws `not_found`. */
  revoke(keyId: string): Promise<void>;
  exists(secret: string): Promise<boolean>;
};

const secretPrefix: Readonly<Record<Mode, string>> = { live: "sk-", test: "sk-test-" };
const shownCharacters = 12;

/** 256 random bits, or those given, behind the prefix of the mode. */
export function secretOf(mode: Mode, bits: Buffer = randomBytes(32)): string {
  return secretPrefix[mode] + bits.toString("base64url");
}

export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

export function keysOf(database: Database): Keys {
  const list = async (accountId: string) =>
    (
      await activeKeys(database.kysely)
        .where("keys.account_id", "=", accountId)
        .orderBy("keys.created_at")
        .execute()
    ).map(keyOf);
  return {
    list,
    issue: (wish) =>
      database.kysely.transaction().execute(async (transaction) => {
        const plan = await takeTurn(transaction, wish.accountId);
        refuseTooMany(plan, await countKeys(transaction, wish.accountId));
        return store(transaction, wish);
      }),
    issueOnce: (wish) =>
      database.kysely.transaction().execute(async (transaction) => {
        await takeTurn(transaction, wish.accountId);
        if (!(await wasIssued(transaction, wish))) await store(transaction, wish);
      }),
    async revoke(keyId) {
      const revoked = await database.kysely
        .updateTable("keys")
        .set({ revoked_at: sql`now()` })
        .where("id", "=", keyId)
        .where("revoked_at", "is", null)
        .returning("id")
        .executeTakeFirst();
      if (revoked === undefined) throw new Problem("not_found", { message: "There is no such key." });
    },
    exists: async (secret) =>
      (await activeKeys(database.kysely).where("keys.hash", "=", hashOf(secret)).executeTakeFirst()) !==
      undefined,
  };
}

function activeKeys(kysely: Kysely<Tables>) {
  return kysely
    .selectFrom("keys")
    .innerJoin("accounts", "accounts.id", "keys.account_id")
    .select([
      "accounts.plan",
      "accounts.requests_per_minute as account_rpm",
      "accounts.concurrent_requests as account_concurrent",
    ])
    .selectAll("keys")
    .where("keys.revoked_at", "is", null);
}

/** The account's row is what keys that are made at once take turns on. Returns its plan. */
async function takeTurn(transaction: Kysely<Tables>, accountId: string): Promise<PlanName> {
  const account = await transaction
    .selectFrom("accounts")
    .select("plan")
    .where("id", "=", accountId)
    .forUpdate()
    .executeTakeFirst();
  if (account === undefined) throw new Problem("not_found", { message: "There is no such account." });
  return account.plan;
}

/** Also another account may have the secret; it can be nobody else's then. */
async function wasIssued(
  kysely: Kysely<Tables>,
  { accountId, mode, name, secret }: KeyWish & { readonly name: string; readonly secret: string },
): Promise<boolean> {
  const earlier = await kysely
    .selectFrom("keys")
    .select("id")
    .where((is) => is.or([is("hash", "=", hashOf(secret)), is.and({ account_id: accountId, mode, name })]))
    .executeTakeFirst();
  return earlier !== undefined;
}

async function countKeys(kysely: Kysely<Tables>, accountId: string): Promise<number> {
  const { count } = await activeKeys(kysely)
    .clearSelect()
    .select((of) => of.fn.countAll<bigint>().as("count"))
    .where("keys.account_id", "=", accountId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function store(
  kysely: Kysely<Tables>,
  wish: KeyWish,
): Promise<{ readonly key: Key; readonly secret: string }> {
  const secret = wish.secret ?? secretOf(wish.mode);
  const id = newId("key");
  const values = {
    id,
    account_id: wish.accountId,
    hash: hashOf(secret),
    prefix: secret.slice(0, shownCharacters),
    name: wish.name ?? null,
    mode: wish.mode,
    ...ownLimits(wish.limits),
    models: wish.models === undefined ? null : JSON.stringify(wish.models),
    revoked_at: null,
  };
  await kysely.insertInto("keys").values(values).execute();
  return {
    key: keyOf(await activeKeys(kysely).where("keys.id", "=", id).executeTakeFirstOrThrow()),
    secret,
  };
}

function refuseTooMany(plan: PlanName, present: number): void {
  const most = plans[plan].maxKeys;
  if (present < most) return;
  throw new Problem("key_limit_reached", {
    message: `An account on plan ${plan} has at most ${most} keys: revoke one first.`,
  });
}

type KeyRow = OwnLimits & {
  readonly id: string;
  readonly account_id: string;
  readonly prefix: string;
  readonly name: string | null;
  readonly mode: Mode;
  readonly models: readonly string[] | null;
  readonly created_at: Date;
  readonly plan: PlanName;
  readonly account_rpm: number | null;
  readonly account_concurrent: number | null;
};

function keyOf(row: KeyRow): Key {
  const account = { requests_per_minute: row.account_rpm, concurrent_requests: row.account_concurrent };
  return {
    id: row.id,
    accountId: row.account_id,
    prefix: row.prefix,
    name: row.name,
    mode: row.mode,
    limits: limitsOf(row.plan, row, account),
    models: row.models,
    createdAt: row.created_at,
  };
}
