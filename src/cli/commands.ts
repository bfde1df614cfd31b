import { Command } from "commander";
import { addAccounts } from "./accounts.ts";
import { addAudit } from "./audit.ts";
import { addCatalog } from "./catalog.ts";
import { addChat } from "./chat.ts";
import type { CliHouse } from "./cli-house.ts";
import { addCredits } from "./credits.ts";
import type { GlobalOptions } from "./credentials.ts";
import { Desk } from "./desk.ts";
import { failureOf } from "./failure.ts";
import { firstWords, programEnd } from "./first-words.ts";
import { addJobs } from "./jobs.ts";
import { addKeys } from "./keys.ts";
import { addModels } from "./models.ts";
import { addRun } from "./run.ts";
import { addServe } from "./serve-command.ts";
import { addUsage } from "./usage.ts";
import { addWebhooks } from "./webhooks.ts";
import { oneLine } from "./terminal-text.ts";

export type { CliHouse } from "./cli-house.ts";

/** In the order in which help lists them. */
const commands = [
  addServe,
  addChat,
  addRun,
  addJobs,
  addModels,
  addCredits,
  addUsage,
  addWebhooks,
  addAccounts,
  addKeys,
  addAudit,
  addCatalog,
];

/**
 * Runs one command and resolves with the exit code of the process; never rejects. What was asked for goes to standard
 * output, everything else to standard error.
 */
export async function runCommandLine(words: readonly string[], house: CliHouse): Promise<number> {
  const program = new Command("skillboss");
  const desk = new Desk(house, () => program.opts<GlobalOptions>());
  // A command line that is wrong was not read to its end, so the option is looked for in the words themselves.
  const isJson = words.includes("--json");
  configure(program, { house, isJson });
  for (const add of commands) add(program, desk);
  try {
    if (words.length === 0) await desk.print(firstWords);
    else await program.parseAsync(words, { from: "user" });
    return desk.exitCode;
  } catch (error) {
    const failure = failureOf(error, desk.sent);
    if (failure.text !== undefined) {
      const lines = failure.text.split("\n").map(oneLine).join("\n");
      await desk.note(isJson ? `${JSON.stringify({ error: failure.error })}\n` : `skillboss: ${lines}\n`);
    }
    return failure.exitCode;
  }
}

type Setting = { readonly house: CliHouse; readonly isJson: boolean };

/** Subcommands take these settings over, so they are made before the first of them. */
function configure(program: Command, { house, isJson }: Setting): void {
  program
    .description("One server in front of every AI service. One key, one prepaid balance.")
    .version(house.version, "--version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .option("--url <url>", "address of the server (else SKILLBOSS_URL, else http://127.0.0.1:8787)")
    .option("--key <key>", "API key (else SKILLBOSS_API_KEY)")
    .option("--token <token>", "operator token (else SKILLBOSS_OPERATOR_TOKEN, else the data directory's)")
    .option("--json", "print the API's answer as JSON, and errors as JSON on standard error")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void house.standardOutput.write(text),
      writeErr: (text) => void (isJson ? undefined : house.standardError.write(text)),
      // Errors are told in one place, for all of them alike.
      outputError: () => undefined,
    })
    .addHelpText("after", programEnd);
}
