import { createHash } from "node:crypto";
import { z } from "zod";
import type { Limits, Mode } from "../core/caller.ts";
import { formatCredits } from "../core/credits.ts";
import type { Account, Accounts } from "../identity/accounts.ts";
import type { Doorkeeper } from "../identity/doorkeeper.ts";
import type { Balances, Ledger } from "../ledger/ledger.ts";
import { amount, listOf } from "./answer-schemas.ts";
import { withBody } from "./door.ts";
import type { Door, Visit } from "./door.ts";
import { storedText } from "./stored-text.ts";

const limit = z.int().min(0).max(1_000_000).nullable();

/** Own limits of an account or key; null goes back to the plan's. */
export const limitsSchema = z.strictObject({
  requests_per_minute: limit.optional(),
  concurrent_requests: limit.optional(),
});

const name = storedText(200);
const plan = z.enum(["free", "starter", "pro"]);
const newAccount = z.strictObject({ name, plan: plan.optional(), limits: limitsSchema.optional() });
const accountChange = z.strictObject({
  name: name.optional(),
  plan: plan.optional(),
  limits: limitsSchema.optional(),
});

const book = z.strictObject({ available: amount, held: amount });
export const balancesForm = z.strictObject({ live: book, test: book });

export const limitsForm = z.strictObject({
  requests_per_minute: z.int().min(0),
  concurrent_requests: z.int().min(0),
});

const accountForm = z.strictObject({
  id: z.string(),
  name: z.string(),
  plan,
  limits: limitsForm,
  created_at: z.iso.datetime(),
  balances: balancesForm,
});

export type AccountsHouse = {
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  readonly doorkeeper: Doorkeeper;
};

/** The operator's doors to accounts. */
export function accountDoors(house: AccountsHouse): readonly Door[] {
  return [...writingDoors(house), ...readingDoors(house)];
}

function writingDoors(house: AccountsHouse): readonly Door[] {
  const { accounts, doorkeeper } = house;
  return [
    {
      method: "POST",
      path: "/admin/v1/accounts",
      access: "operator",
      summary: "Makes an account.",
      answers: "The account with its (empty) balances.",
      answerForm: accountForm,
      ...withBody(newAccount, async (visit) => {
        const account = await accounts.create({ id: idFromKey(visit), ...visit.body });
        return { status: 201, body: await withBalances(house, account) };
      }),
    },
    {
      method: "PATCH",
      path: "/admin/v1/accounts/{id}",
      access: "operator",
      summary: "Changes an account's name, plan or own limits; holds for its keys within a second.",
      answers: "The account as it is now.",
      answerForm: accountForm,
      ...withBody(accountChange, async ({ body, parameters }) => {
        const { id } = await accounts.read(parameters["id"] ?? "");
        const account = await accounts.change(id, body);
        doorkeeper.forget();
        return { status: 200, body: await withBalances(house, account) };
      }),
    },
  ];
}

function readingDoors(house: AccountsHouse): readonly Door[] {
  const { accounts, ledger } = house;
  return [
    {
      method: "GET",
      path: "/admin/v1/accounts",
      access: "operator",
      summary: "All accounts with their balances.",
      answers: "`data`, oldest first.",
      answerForm: listOf(accountForm),
      async answer() {
        const all = await accounts.list();
        const balances = await ledger.balancesOf(all.map((account) => account.id));
        const data = all.map((account) => ({
          ...shownAccount(account),
          balances: shownBalances(balances.get(account.id) ?? nothing),
        }));
        return { status: 200, body: { object: "list", data } };
      },
    },
    {
      method: "GET",
      path: "/admin/v1/accounts/{id}",
      access: "operator",
      summary: "One account with its balances.",
      answers: "The account.",
      answerForm: accountForm,
      answer: async ({ parameters }) => ({
        status: 200,
        body: await withBalances(house, await accounts.read(parameters["id"] ?? "")),
      }),
    },
  ];
}

/**
 * The same Idempotency-Key and wish give the same id, and an id is taken once: where the first request was cut off and
 * its answer was never kept, the next finds the account that it made.
 */
function idFromKey({ headers, body }: Visit<z.output<typeof newAccount>>): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  return `acc_${createHash("sha256")
    .update(JSON.stringify([key, body]))
    .digest("hex")
    .slice(0, 32)}`;
}

async function withBalances(
  { ledger }: AccountsHouse,
  account: Account,
): Promise<z.output<typeof accountForm>> {
  return { ...shownAccount(account), balances: shownBalances(await ledger.balances(account.id)) };
}

const nothing: Balances = { live: { available: 0n, held: 0n }, test: { available: 0n, held: 0n } };

export function shownLimits(limits: Limits): z.output<typeof limitsForm> {
  return { requests_per_minute: limits.requestsPerMinute, concurrent_requests: limits.concurrentRequests };
}

function shownAccount(account: Account) {
  return {
    id: account.id,
    name: account.name,
    plan: account.plan,
    limits: shownLimits(account.limits),
    created_at: account.createdAt.toISOString(),
  };
}

export function shownBalances(balances: Balances): z.output<typeof balancesForm> {
  const shown = (mode: Mode) => ({
    available: formatCredits(balances[mode].available),
    held: formatCredits(balances[mode].held),
  });
  return { live: shown("live"), test: shown("test") };
}
