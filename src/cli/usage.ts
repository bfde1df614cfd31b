import { Option } from "commander";
import type { Command } from "commander";
import { usagePeriods } from "../client/answers.ts";
import type { RecentCallAnswer, UsageAnswer, UsagePeriod, UsageSumAnswer } from "../client/answers.ts";
import type { Desk } from "./desk.ts";
import { counted, readableCount, readableCredits, readableTime } from "./readable.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";

type UsageOptions = { readonly period: UsagePeriod; readonly model?: string };

/** `skillboss usage`: what was spent, and on what. */
export function addUsage(program: Command, desk: Desk): void {
  program
    .command("usage")
    .description("what was spent, by model and day, in the mode of the API key")
    .addOption(
      new Option("--period <period>", "day, week (7 days), month (30 days) or all")
        .choices(usagePeriods)
        .default("month"),
    )
    .option("--model <part>", "only models with this in their name")
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss usage\n  skillboss usage --period day --model gpt\n  skillboss usage --json",
    )
    .action(async ({ period, model }: UsageOptions) =>
      desk.show(await desk.customer().usage({ period, model }), usageText),
    );
}

const sumColumns: readonly Column[] = [
  { title: "Calls", align: "right" },
  { title: "Tokens in", align: "right" },
  { title: "Tokens out", align: "right" },
  { title: "Credits", align: "right" },
  { title: "USD", align: "right" },
];

function usageText(usage: UsageAnswer): string {
  const { total, since, mode } = usage;
  const when = since === null ? "since the beginning" : `since ${since.slice(0, 10)} (UTC)`;
  if (total.requests === 0) return `No ${mode} calls ${when}.\n`;
  const head = `${counted(total.requests, `${mode} call`)} ${when}: ${readableCredits(total.credits)} credits ($${total.usd}).\n`;
  const byModel = table(
    [{ title: "Model" }, ...sumColumns],
    usage.by_model.map((one) => [one.model, ...sumCells(one)]),
  );
  const byDay = table(
    [{ title: "Day (UTC)" }, ...sumColumns],
    usage.daily.map((one) => [one.date, ...sumCells(one)]),
  );
  return `${head}\n${byModel}\n${byDay}\n${recentText(usage.recent)}`;
}

function sumCells(sum: UsageSumAnswer): readonly string[] {
  return [
    readableCount(sum.requests),
    readableCount(sum.input_tokens),
    readableCount(sum.output_tokens),
    readableCredits(sum.credits),
    sum.usd,
  ];
}

function recentText(recent: readonly RecentCallAnswer[]): string {
  const columns: readonly Column[] = [
    { title: "Latest calls (UTC)" },
    { title: "Model" },
    { title: "Credits", align: "right" },
    { title: "Ended" },
    { title: "Call" },
  ];
  const rows = recent.map((call) => [
    readableTime(call.at),
    call.model,
    `${readableCredits(call.credits)}${call.estimated ? " (counted here)" : ""}`,
    call.reason === null ? call.ending : `${call.ending}: ${call.reason}`,
    call.call_id,
  ]);
  return table(columns, rows);
}
