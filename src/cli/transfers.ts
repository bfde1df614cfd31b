import type { Command } from "commander";
import type { TransferLineAnswer } from "../client/answers.ts";
import type { Mode } from "../core/caller.ts";
import type { Desk } from "./desk.ts";
import { accountIdOf } from "./find-account.ts";
import { modeOption, wholeNumber } from "./option-values.ts";
import { readableCredits, readableTime } from "./readable.ts";
import { table, tableRows } from "./table.ts";
import type { Row } from "./table.ts";

const pageSize = 1000;

/** Pages come one by one, so the columns are as wide as their usual content from the first page on. */
const columns = [
  { title: "#", align: "right", leastWidth: 6 },
  { title: "At (UTC)", leastWidth: 19 },
  { title: "Kind", leastWidth: 7 },
  { title: "Book", leastWidth: 9 },
  { title: "Credits", align: "right", leastWidth: 16 },
  { title: "Transfer" },
] as const;

type TransfersOptions = { readonly mode: Mode; readonly after?: number };

/** `skillboss accounts transfers`: every move of an account's credits. */
export function addTransfers(accounts: Command, desk: Desk): void {
  accounts
    .command("transfers <account>")
    .description("every move of an account's credits, oldest first")
    .addOption(modeOption())
    .option("--after <sequence>", "only what comes after this number", wholeNumber(Number.MAX_SAFE_INTEGER))
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss accounts transfers owner\n  skillboss accounts transfers owner --mode test --after 120 --json",
    )
    .action(async (account: string, { mode, after }: TransfersOptions) => {
      const client = desk.operator();
      const accountId = await accountIdOf(client, account);
      const pages = client.transfers({ accountId, mode, after, pageSize });
      if (!desk.isJson) return printPages(desk, pages, after === undefined ? "" : ` after ${after}`);
      const data: TransferLineAnswer[] = [];
      for await (const page of pages) data.push(...page.data);
      await desk.show({ object: "list", data, has_more: false }, () => "");
    });
}

type Pages = AsyncIterable<{ readonly data: readonly TransferLineAnswer[] }>;

async function printPages(desk: Desk, pages: Pages, where: string): Promise<void> {
  let isFirst = true;
  for await (const { data } of pages) {
    if (data.length === 0) continue;
    await desk.print((isFirst ? table : tableRows)(columns, data.map(rowOf)));
    isFirst = false;
  }
  if (isFirst) await desk.print(`No transfers${where}.\n`);
}

function rowOf(line: TransferLineAnswer): Row {
  const isOut = line.amount.startsWith("-");
  return [
    String(line.sequence),
    readableTime(line.at),
    line.kind,
    line.book,
    `${isOut ? "-" : "+"}${readableCredits(isOut ? line.amount.slice(1) : line.amount)}`,
    line.id,
  ];
}
