import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { BalanceAnswer, GrantAnswer } from "../client/answers.ts";
import { ClientError, ServerUnreachable } from "../client/errors.ts";
import type { Mode } from "../core/caller.ts";
import type { Desk } from "./desk.ts";
import { accountIdOf } from "./find-account.ts";
import { creditsAmount, headerText, modeOption } from "./option-values.ts";
import { readableCredits } from "./readable.ts";
import { pairs } from "./table.ts";

type GrantOptions = { readonly mode: Mode; readonly reason?: string; readonly idempotencyKey?: string };

/** `skillboss credits …`: hand credits out, and see what is left. */
export function addCredits(program: Command, desk: Desk): void {
  const credits = program
    .command("credits")
    .description("grant credits (operator), see a balance (API key)")
    .helpCommand(false);
  addGrant(credits, desk);
  credits
    .command("balance")
    .description("what is left, in the mode of the API key")
    .addHelpText("after", "\nExample:\n  skillboss credits balance --key sk-…")
    .action(async () => desk.show(await desk.customer().balance(), balanceText));
  credits.addHelpText(
    "after",
    "\nExamples:\n  skillboss credits grant owner 100\n  skillboss credits grant owner 25.50 --mode test\n  skillboss credits balance",
  );
}

function addGrant(credits: Command, desk: Desk): void {
  credits
    .command("grant")
    .argument("<account>", "id or name")
    .argument("<credits>", 'such as "25" or "0.50"', creditsAmount)
    .description("give an account credits")
    .addOption(modeOption())
    .option("--reason <text>", "kept with the transfer")
    .option("--idempotency-key <key>", "asking again with the same one grants nothing more", headerText)
    .addHelpText(
      "after",
      '\nExamples:\n  skillboss credits grant owner 100 --reason "invoice 17"\n' +
        "  skillboss credits grant owner 100 --idempotency-key invoice-17",
    )
    .action(async (account: string, amount: string, options: GrantOptions) => {
      const { mode, reason, idempotencyKey = randomUUID() } = options;
      const client = desk.operator();
      const accountId = await accountIdOf(client, account);
      const wish = { accountId, credits: amount, mode, reason, idempotencyKey };
      const answer = await client.credits.grant(wish).catch(async (error: unknown) => {
        if (isOpenOutcome(error) && !desk.isJson) await desk.note(againText(idempotencyKey));
        throw error;
      });
      await desk.show(answer, () => grantText(answer, amount, mode));
    });
}

/** Whether the credits may have been granted although the answer is not here. */
function isOpenOutcome(error: unknown): boolean {
  return (
    error instanceof ServerUnreachable || (error instanceof ClientError && error.code === "answer_broken")
  );
}

function againText(idempotencyKey: string): string {
  return `Whether the credits were granted is not known. To ask again without granting twice, add --idempotency-key ${idempotencyKey}\n`;
}

function grantText({ transfer_id, balances }: GrantAnswer, amount: string, mode: Mode): string {
  return (
    `Granted ${readableCredits(amount)} ${mode} credits (${transfer_id}).\n` +
    `The ${mode} balance is ${readableCredits(balances[mode].available)}.\n`
  );
}

function balanceText(balance: BalanceAnswer): string {
  return pairs([
    ["Mode", balance.mode],
    ["Available", `${readableCredits(balance.available)} credits`],
    ["On hold", `${readableCredits(balance.held)} credits`],
    ["One credit", `$${balance.credit_usd}`],
  ]);
}
