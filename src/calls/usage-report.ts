import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Mode } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { Credits } from "../core/credits.ts";
import type { Ending } from "../core/receipt.ts";
import type { Database } from "../storage/database.ts";
import { ReportTurns } from "./report-turns.ts";

/** Days are UTC days; `week` and `month` are the last 7 and 30 of them, today included. */
export const periods = ["day", "week", "month", "all"] as const;
export type Period = (typeof periods)[number];

export type UsageQuestion = {
  readonly accountId: string;
  readonly mode: Mode;
  readonly period: Period;
  /** Part of a model name, without regard to case. */
  readonly model?: string | undefined;
  /** Only the models for which this holds. */
  readonly isOfType?: (model: string) => boolean;
};

export type UsageSum = {
  readonly requests: number;
  readonly cost: Credits;
  readonly inputTokens: number;
  readonly outputTokens: number;
};

export type UsageReport = {
  readonly since: Date | undefined;
  readonly total: UsageSum;
  readonly byModel: readonly (UsageSum & { readonly model: string })[];
  readonly byDay: readonly (UsageSum & { readonly day: string })[];
  /** The latest calls, newest first. */
  readonly recent: readonly RecentCall[];
};

export type RecentCall = {
  readonly callId: string;
  readonly model: string;
  readonly servedBy: string;
  readonly cost: Credits;
  readonly ending: Ending;
  readonly problem: string | null;
  readonly estimated: boolean;
  readonly endedAt: Date;
};

export type UsageReports = { read(question: UsageQuestion): Promise<UsageReport> };

const recentCalls = 20;
const dayMs = 86_400_000;
const daysIn: Readonly<Record<Exclude<Period, "all">, number>> = { day: 1, week: 7, month: 30 };

/** Sums of receipts: to the micro-credit what the ledger charged, because both are written in one commit. */
export function usageReports(database: Database, clock: Clock): UsageReports {
  const turns = new ReportTurns();
  return {
    async read(question) {
      const since = sinceOf(question.period, clock.now());
      const { sums, recent } = await turns.take(question.accountId, async () => {
        const asked = await ofType(receiptsOf(database, question, since), question);
        // One statement, so one snapshot: a call that ends meanwhile is in every part of the report or in none.
        return database.kysely
          .selectNoFrom([
            jsonArrayFrom(sumsOf(asked, database)).as("sums"),
            jsonArrayFrom(latestOf(asked)).as("recent"),
          ])
          .executeTakeFirstOrThrow();
      });
      const byModel = sums.flatMap((row) => (row.model === null ? [] : { model: row.model, ...sumOf(row) }));
      return {
        since,
        total: byModel.reduce(added, { requests: 0, cost: 0n, inputTokens: 0, outputTokens: 0 }),
        byModel,
        byDay: sums.flatMap((row) => (row.day === null ? [] : { day: row.day, ...sumOf(row) })),
        recent: recent.map((row) => ({ ...row, cost: BigInt(row.cost), endedAt: new Date(row.endedAt) })),
      };
    },
  };
}

/** Not every number in a receipt is whole, and one that is not must not hide all others. */
const tokens = (meter: string) => sql`coalesce(ceil((usage ->> ${sql.lit(meter)})::numeric), 0)`;

/** A row for each model and one for each day. What no JSON number holds is told as text. */
function sumsOf(asked: Receipts, { kysely }: Database) {
  return kysely
    .selectFrom(cellsOf(asked).as("cell"))
    .select([
      sql<string | null>`model`.as("model"),
      sql<string | null>`day`.as("day"),
      sql<number>`sum(requests)`.as("requests"),
      sql<string>`sum(cost)::text`.as("cost"),
      sql<number>`sum(input)`.as("inputTokens"),
      sql<number>`sum(output)`.as("outputTokens"),
    ])
    .groupBy(sql`grouping sets ((model), (day))`)
    .orderBy(sql`model`)
    .orderBy(sql`day`);
}

/** What both are summed from, so that each receipt is looked at once: there may be a million. */
function cellsOf(asked: Receipts) {
  const input = sql`${tokens("input_tokens")} + ${tokens("cache_read_tokens")} + ${tokens("cache_write_tokens")}`;
  return asked
    .select([
      "model",
      sql`(ended_at at time zone 'UTC')::date`.as("day"),
      sql`count(*)`.as("requests"),
      sql`sum(cost)`.as("cost"),
      sql`sum(${input})`.as("input"),
      sql`sum(${tokens("output_tokens")})`.as("output"),
    ])
    .groupBy(["model", "day"]);
}

function latestOf(asked: Receipts) {
  return asked
    .select(["call_id as callId", "model", "served_by as servedBy", "ending", "problem", "estimated"])
    .select([sql<string>`cost::text`.as("cost"), sql<string>`ended_at`.as("endedAt")])
    .orderBy("ended_at", "desc")
    .limit(recentCalls);
}

type Receipts = ReturnType<typeof receiptsOf>;

/** Only the catalog knows what kind a model is, so the names are asked for first. */
async function ofType(all: Receipts, { isOfType }: UsageQuestion): Promise<Receipts> {
  if (isOfType === undefined) return all;
  const found = await all.select("model").distinct().execute();
  const names = found.map(({ model }) => model).filter(isOfType);
  return all.where(sql<boolean>`model = any(${names}::text[])`);
}

function receiptsOf(database: Database, question: UsageQuestion, since: Date | undefined) {
  const all = database.kysely
    .selectFrom("receipts")
    .where("account_id", "=", question.accountId)
    .where("mode", "=", question.mode);
  const recent = since === undefined ? all : all.where("ended_at", ">=", since);
  const { model } = question;
  if (model === undefined) return recent;
  return recent.where(sql<boolean>`position(${model.toLowerCase()} in lower(model)) > 0`);
}

function sinceOf(period: Period, now: number): Date | undefined {
  if (period === "all") return undefined;
  return new Date(Math.floor(now / dayMs) * dayMs - (daysIn[period] - 1) * dayMs);
}

type SumRow = Omit<UsageSum, "cost"> & { readonly cost: string };

function sumOf({ requests, cost, inputTokens, outputTokens }: SumRow): UsageSum {
  return { requests, cost: BigInt(cost), inputTokens, outputTokens };
}

export function added(sum: UsageSum, one: UsageSum): UsageSum {
  return {
    requests: sum.requests + one.requests,
    cost: sum.cost + one.cost,
    inputTokens: sum.inputTokens + one.inputTokens,
    outputTokens: sum.outputTokens + one.outputTokens,
  };
}
