import { sql } from "kysely";
import type { Database } from "../../storage/database.ts";
import type { ListedRun, RunQuery, SeenRun } from "./run-store.ts";

export const seenColumns = [
  "id",
  "call_id",
  "account_id",
  "key_id",
  "mode",
  "plan",
  "model",
  "model_id",
  "category",
  "offer",
  "state",
  "ending",
  "progress",
  "output",
  "problem",
  "usage",
  "cost",
  "estimated",
  "price",
  "credit_usd",
  "attempts",
  "webhook_url",
  "public_url",
  "node_id",
  "claim",
  "lease_until",
  "created_at",
  "updated_at",
  "ended_at",
] as const satisfies readonly (keyof SeenRun)[];

/**
 * As they lie in the database, where most take less room than as text. A list is there to see what there is: with the whole
 * results of 200 runs, such as the vectors of long texts, it took minutes and the memory of all.
 */
const mostOutputBytes = 2 * 1024 * 1024;

/** The latest runs of an account, with the results that fit, the small ones first. */
export function latestRuns(
  { kysely }: Database,
  { accountId, mode, status, limit }: RunQuery,
): Promise<readonly ListedRun[]> {
  let latest = kysely
    .selectFrom("runs")
    .select(["id", sql<number>`coalesce(pg_column_size(output), 0)`.as("size")])
    .where("account_id", "=", accountId)
    .where("mode", "=", mode);
  if (status === "queued") latest = latest.where("state", "=", "submitting").where("offer", "is", null);
  else if (status === "running")
    latest = latest
      .where("state", "<>", "over")
      .where((of) => of.or([of("state", "<>", "submitting"), of("offer", "is not", null)]));
  else if (status !== undefined) latest = latest.where("state", "=", "over").where("ending", "in", status);
  return kysely
    .with("latest", () => latest.orderBy("created_at", "desc").orderBy("id").limit(limit))
    .with("measured", (of) =>
      of
        .selectFrom("latest")
        .select([
          "id",
          sql<boolean>`sum(size) over (order by size, id) > ${sql.lit(mostOutputBytes)}`.as("is_too_much"),
        ]),
    )
    .selectFrom("runs")
    .innerJoin("measured", "measured.id", "runs.id")
    .select(shownColumns)
    .select([
      sql<SeenRun["output"]>`case when is_too_much then null else output end`.as("output"),
      sql<boolean>`is_too_much and output is not null`.as("is_without_output"),
    ])
    .orderBy("runs.created_at", "desc")
    .orderBy("runs.id")
    .execute();
}

type Shown = Exclude<(typeof seenColumns)[number], "output">;

const shownColumns = seenColumns
  .filter((name): name is Shown => name !== "output")
  .map((name) => `runs.${name}` as const);
