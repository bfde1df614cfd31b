import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { BalanceAnswer, GrantAnswer } from "../client/answers.ts";
import { ClientError, isAnswerLost } from "../client/errors.ts";
import type { Mode } from "../core/caller.ts";
import type { Desk } from "./desk.ts";
import { Interrupted, LeftOpen } from "./exit.ts";
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
      const answer = await desk
        .interruptible(() => client.credits.grant(wish))
        .catch((error: unknown) => {
          throw isOpenOutcome(error) ? openGrant(error, idempotencyKey) : error;
        });
      await desk.show(answer, () => grantText(answer, amount, mode));
    });
}

/** Whether the credits may have been granted although the answer is not here; a database can fail behind its commit, too. */
function isOpenOutcome(error: unknown): boolean {
  const isFault = error instanceof ClientError && error.status >= 500;
  return isFault || isAnswerLost(error) || error instanceof Interrupted;
}

function openGrant(cause: unknown, idempotencyKey: string): LeftOpen {
  const advice =
    "Whether the credits were granted is not known. " +
    `To ask again without granting twice, add --idempotency-key ${idempotencyKey}`;
  return new LeftOpen({ cause, advice, members: { idempotency_key: idempotencyKey } });
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
