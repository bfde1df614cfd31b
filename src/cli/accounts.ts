import { Option } from "commander";
import type { Command } from "commander";
import type { AccountAnswer, ListAnswer } from "../client/answers.ts";
import type { PlanName } from "../core/caller.ts";
import type { Desk } from "./desk.ts";
import { WrongUse } from "./exit.ts";
import { accountIdOf } from "./find-account.ts";
import { limitOptions, limitsWish } from "./option-values.ts";
import type { LimitOptions } from "./option-values.ts";
import { counted, readableCredits, readableLimits, readableTime } from "./readable.ts";
import { pairs, table } from "./table.ts";
import { addTransfers } from "./transfers.ts";

type AccountOptions = LimitOptions & { readonly plan?: PlanName; readonly name?: string };

/** `skillboss accounts …`: who pays. */
export function addAccounts(program: Command, desk: Desk): void {
  const accounts = program
    .command("accounts")
    .description("who pays: accounts and their balances (operator)")
    .helpCommand(false);
  addReading(accounts, desk);
  addWriting(accounts, desk);
  addTransfers(accounts, desk);
  accounts.addHelpText(
    "after",
    "\nAn <account> is an id (acc_…) or a name that only one account has.\n\nExamples:\n" +
      '  skillboss accounts list\n  skillboss accounts create "Ada & Co" --plan starter\n' +
      "  skillboss accounts change owner --requests-per-minute 600\n  skillboss accounts transfers owner",
  );
}

function addReading(accounts: Command, desk: Desk): void {
  accounts
    .command("list")
    .description("all accounts with their balances")
    .addHelpText("after", "\nExamples:\n  skillboss accounts list\n  skillboss accounts list --json")
    .action(async () => desk.show(await desk.operator().accounts.list(), accountsTable));
  accounts
    .command("show <account>")
    .description("one account")
    .addHelpText("after", "\nExample:\n  skillboss accounts show owner")
    .action(async (account: string) => {
      const client = desk.operator();
      await desk.show(await client.accounts.read(await accountIdOf(client, account)), accountText);
    });
}

function addWriting(accounts: Command, desk: Desk): void {
  const create = accounts
    .command("create <name>")
    .description("make an account, with empty balances")
    .addOption(planOption("free when absent"))
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss accounts create ada\n  skillboss accounts create ada --plan pro --requests-per-minute 600",
    )
    .action(async (name: string, options: AccountOptions) => {
      const wish = { name, plan: options.plan, limits: limitsWish(options) };
      const account = await desk.operator().accounts.create(wish);
      await desk.show(
        account,
        () => `${accountText(account)}\nNext: skillboss credits grant ${account.id} 100\n`,
      );
    });
  const change = accounts
    .command("change <account>")
    .description("change an account; holds for its keys within a second")
    .option("--name <name>", "its new name")
    .addOption(planOption("its new plan"))
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss accounts change ada --plan starter\n  skillboss accounts change ada --requests-per-minute plan",
    )
    .action(async (account: string, options: AccountOptions) => {
      const limits = limitsWish(options);
      const { name, plan } = options;
      if (name === undefined && plan === undefined && limits === undefined)
        throw new WrongUse(
          "Say what to change: --name, --plan, --requests-per-minute, --concurrent-requests.",
        );
      const client = desk.operator();
      const id = await accountIdOf(client, account);
      await desk.show(await client.accounts.change(id, { name, plan, limits }), accountText);
    });
  for (const option of limitOptions()) {
    create.addOption(option);
    change.addOption(option);
  }
}

function planOption(when: string): Option {
  return new Option("--plan <plan>", `free (10/min, 2 at once), starter (60, 10) or pro; ${when}`).choices([
    "free",
    "starter",
    "pro",
  ] satisfies readonly PlanName[]);
}

function accountsTable({ data }: ListAnswer<AccountAnswer>): string {
  if (data.length === 0) return "No accounts yet. Make one: skillboss accounts create <name>\n";
  const rows = data.map((account) => [
    account.id,
    account.name,
    account.plan,
    readableCredits(account.balances.live.available),
    readableCredits(account.balances.test.available),
    readableTime(account.created_at),
  ]);
  const columns = [
    { title: "ID" },
    { title: "Name" },
    { title: "Plan" },
    { title: "Live credits", align: "right" },
    { title: "Test credits", align: "right" },
    { title: "Created (UTC)" },
  ] as const;
  return `${table(columns, rows)}${counted(data.length, "account")}\n`;
}

function accountText(account: AccountAnswer): string {
  const balance = (mode: "live" | "test") => {
    const { available, held } = account.balances[mode];
    return `${readableCredits(available)} credits, ${readableCredits(held)} on hold`;
  };
  return pairs([
    ["Account", account.id],
    ["Name", account.name],
    ["Plan", account.plan],
    ["Limits per key", readableLimits(account.limits)],
    ["Live", balance("live")],
    ["Test", balance("test")],
    ["Created", `${readableTime(account.created_at)} UTC`],
  ]);
}
