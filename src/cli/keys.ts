import type { Command } from "commander";
import type { KeyAnswer, ListAnswer, NewKeyAnswer } from "../client/answers.ts";
import type { Mode } from "../core/caller.ts";
import type { Desk } from "./desk.ts";
import { WrongUse } from "./exit.ts";
import { accountIdOf } from "./find-account.ts";
import { collected, limitOptions, limitsWish, modeOption } from "./option-values.ts";
import type { LimitOptions } from "./option-values.ts";
import { counted, readableLimits, readableTime } from "./readable.ts";
import { pairs, table } from "./table.ts";

type KeyOptions = LimitOptions & {
  readonly mode: Mode;
  readonly name?: string;
  readonly model?: readonly string[];
};

/** `skillboss keys …`: the secrets that act for an account. */
export function addKeys(program: Command, desk: Desk): void {
  const keys = program.command("keys").description("API keys of an account (operator)").helpCommand(false);
  addList(keys, desk);
  addCreate(keys, desk);
  addRevoke(keys, desk);
  keys.addHelpText(
    "after",
    "\nAn <account> is an id (acc_…) or a name that only one account has.\n\nExamples:\n" +
      "  skillboss keys list owner\n  skillboss keys create owner --mode test\n  skillboss keys revoke key_…",
  );
}

function addList(keys: Command, desk: Desk): void {
  keys
    .command("list <account>")
    .description("the keys that are not revoked")
    .addHelpText("after", "\nExample:\n  skillboss keys list owner")
    .action(async (account: string) => {
      const client = desk.operator();
      await desk.show(await client.keys.list(await accountIdOf(client, account)), keysTable);
    });
}

function addCreate(keys: Command, desk: Desk): void {
  const create = keys
    .command("create <account>")
    .description("make a key; its secret is shown this once")
    .addOption(modeOption())
    .option("--name <name>", "to know it by")
    .option("--model <id>", "a model it may call; again for more; all when absent", collected)
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss keys create owner --mode test\n" +
        "  skillboss keys create owner --name agent --model gpt-4o-mini --model claude-haiku-4-5 --requests-per-minute 20",
    )
    .action(async (account: string, options: KeyOptions) => {
      const client = desk.operator();
      const id = await accountIdOf(client, account);
      const { mode, name, model: models } = options;
      const wish = { mode, name, models, limits: limitsWish(options) };
      await desk.show(await client.keys.create(id, wish), newKeyText);
    });
  for (const option of limitOptions()) create.addOption(option);
}

function addRevoke(keys: Command, desk: Desk): void {
  keys
    .command("revoke <key>")
    .description("end a key for good, by its id")
    .addHelpText("after", "\nExample:\n  skillboss keys revoke key_0123456789abcdef0123456789abcdef")
    .action(async (key: string) => {
      if (key.startsWith("sk-"))
        throw new WrongUse(
          "Write the key's id (key_…), not its secret. The ids: skillboss keys list <account>",
        );
      await desk.operator().keys.revoke(key);
      await desk.show({ id: key, revoked: true }, () => `Revoked ${key}. Calls that run now end as usual.\n`);
    });
}

function keysTable({ data }: ListAnswer<KeyAnswer>): string {
  if (data.length === 0) return "No keys. Make one: skillboss keys create <account>\n";
  const rows = data.map((key) => [
    key.id,
    key.mode,
    `${key.prefix}…`,
    key.name ?? "",
    readableLimits(key.limits),
    key.models === null ? "all" : key.models.join(", "),
    readableTime(key.created_at),
  ]);
  const titles = ["ID", "Mode", "Secret", "Name", "Limits", "Models", "Created (UTC)"];
  const columns = titles.map((title) => ({ title }));
  return `${table(columns, rows)}${counted(data.length, "key")}\n`;
}

function newKeyText(key: NewKeyAnswer): string {
  const known = pairs([
    ["Key", key.id],
    ["Mode", key.mode],
    ["Limits", readableLimits(key.limits)],
    ["Models", key.models === null ? "all" : key.models.join(", ")],
  ]);
  return (
    `${known}\n  ${key.key}\n\nThis is the secret. It is shown this once and kept nowhere: copy it now.\n` +
    `Use it: export SKILLBOSS_API_KEY=${key.key}\n`
  );
}
