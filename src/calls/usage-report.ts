import { sql } from "kysely";
import type { Mode } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { Credits } from "../core/credits.ts";
import type { Ending } from "../core/receipt.ts";
import type { Database } from "../storage/database.ts";

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
  return {
    async read(question) {
      const since = sinceOf(question.period, clock.now());
      const { isOfType } = question;
      const all = receiptsOf(database, question, since);
      const found = await all
        .select(["model as name", ...sums])
        .groupBy("model")
        .orderBy("model")
        .execute();
      const models = isOfType === undefined ? found : found.filter(({ name }) => isOfType(name));
      const names = models.map(({ name }) => name);
      const asked = isOfType === undefined ? all : all.where(sql<boolean>`model = any(${names}::text[])`);
      const [days, recent] = await Promise.all([
        asked
          .select([sql<string>`to_char(ended_at at time zone 'UTC', 'YYYY-MM-DD')`.as("name"), ...sums])
          .groupBy("name")
          .orderBy("name")
          .execute(),
        asked.selectAll().orderBy("ended_at", "desc").limit(recentCalls).execute(),
      ]);
      const byModel = models.map((row) => ({ model: row.name, ...sumOf(row) }));
      const total = byModel.reduce(added, { requests: 0, cost: 0n, inputTokens: 0, outputTokens: 0 });
      return {
        since,
        total,
        byModel,
        byDay: days.map((row) => ({ day: row.name, ...sumOf(row) })),
        recent: recent.map((row) => ({
          callId: row.call_id,
          model: row.model,
          servedBy: row.served_by,
          cost: row.cost,
          ending: row.ending,
          problem: row.problem,
          estimated: row.estimated,
          endedAt: row.ended_at,
        })),
      };
    },
  };
}

/** Not every number in a receipt is whole, and one that is not must not hide all others. */
const tokens = (meter: string) => sql`coalesce(ceil((usage ->> ${sql.lit(meter)})::numeric), 0)`;

const sums = [
  sql<bigint>`count(*)`.as("requests"),
  sql<string>`coalesce(sum(cost), 0)`.as("cost_sum"),
  sql<string>`sum(${tokens("input_tokens")} + ${tokens("cache_read_tokens")} + ${tokens("cache_write_tokens")})`.as(
    "input_sum",
  ),
  sql<string>`sum(${tokens("output_tokens")})`.as("output_sum"),
] as const;

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

type SumRow = {
  readonly requests: bigint;
  readonly cost_sum: string;
  readonly input_sum: string;
  readonly output_sum: string;
};

function sumOf(row: SumRow): UsageSum {
  return {
    requests: Number(row.requests),
    cost: BigInt(row.cost_sum),
    inputTokens: Number(row.input_sum),
    outputTokens: Number(row.output_sum),
  };
}

export function added(sum: UsageSum, one: UsageSum): UsageSum {
  return {
    requests: sum.requests + one.requests,
    cost: sum.cost + one.cost,
    inputTokens: sum.inputTokens + one.inputTokens,
    outputTokens: sum.outputTokens + one.outputTokens,
  };
}
