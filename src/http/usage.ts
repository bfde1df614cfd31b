import { z } from "zod";
import { added, periods } from "../calls/usage-report.ts";
import type {
  Period,
  RecentCall,
  UsageQuestion,
  UsageReport,
  UsageReports,
  UsageSum,
} from "../calls/usage-report.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { formatCredits } from "../core/credits.ts";
import { costInUsd } from "../core/price.ts";
import { accountUsage, usageReport } from "./answer-schemas.ts";
import { jsonNumber, usdNumber } from "./balance.ts";
import type { Door, Visit } from "./door.ts";
import { modelTypes } from "./model-types.ts";
import { valueIn } from "./query.ts";

export type UsageHouse = {
  readonly usage: UsageReports;
  readonly creditUsd: string;
  readonly catalog: Pick<Catalog, "find" | "models">;
};

/** `GET /v1/usage`, and the same in the form of the account routes that older clients know. */
export function usageDoors(house: UsageHouse): readonly Door[] {
  return [
    {
      method: "GET",
      path: "/v1/usage",
      access: "caller",
      query: { period: z.enum(periods), model: z.string() },
      summary:
        "What was spent: in all, by model and by UTC day. `?period=day|week|month|all&model=part`; a month is the last 30 days.",
      answers: "Sums with credits and USD as decimal strings, and the latest calls with how each ended.",
      answerForm: usageReport,
      async answer(visit) {
        const period = periodOf(visit);
        const report = await read(house, visit, { period });
        const { mode } = visit.caller();
        return {
          status: 200,
          body: {
            object: "usage",
            mode,
            period,
            since: report.since ?? null,
            ...shownReport(report, house),
          },
        };
      },
    },
    {
      method: "GET",
      path: "/api/me/usage",
      access: "caller",
      query: { period: z.enum(periods), model: z.string(), type: z.string() },
      summary: "The same sums, as the command line clients read them; `?type=chat|image|…` of some models.",
      answers: "`summary`, `by_model`, `by_type`, `daily` and `recent` with numbers.",
      answerForm: accountUsage,
      async answer(visit) {
        const types = typesOf(visit, house);
        const isOfType = (model: string): boolean => types?.includes(typeOf(model, house.catalog)) ?? true;
        const report = await read(house, visit, {
          period: periodOf(visit),
          ...(types === undefined ? {} : { isOfType }),
        });
        return { status: 200, body: accountForm(report, house) };
      },
    },
  ];
}

function periodOf({ query }: Visit<unknown>): Period {
  return valueIn(query, "period", periods) ?? "month";
}

/** Older clients ask for all sound as one type. */
const audioTypes: readonly string[] = ["tts", "stt", "music", "sound"];

function typesOf({ query }: Visit<unknown>, { catalog }: UsageHouse): readonly string[] | undefined {
  const present = catalog.models.map(({ category }) => category);
  const asked = valueIn(query, "type", [...new Set(["audio", ...modelTypes, ...present])].toSorted());
  if (asked === undefined) return undefined;
  return asked === "audio" ? audioTypes : [asked];
}

type Chosen = Pick<UsageQuestion, "period" | "isOfType">;

function read(house: UsageHouse, visit: Visit<unknown>, chosen: Chosen): Promise<UsageReport> {
  const { accountId, mode } = visit.caller();
  return house.usage.read({ accountId, mode, model: visit.query.get("model")?.slice(0, 256), ...chosen });
}

function shownReport(report: UsageReport, { creditUsd, catalog }: UsageHouse) {
  const sum = (one: UsageSum) => ({
    requests: one.requests,
    credits: formatCredits(one.cost),
    usd: costInUsd(one.cost, creditUsd),
    input_tokens: one.inputTokens,
    output_tokens: one.outputTokens,
  });
  return {
    total: sum(report.total),
    by_model: byName(report, catalog).map((one) => ({ model: one.model, ...sum(one) })),
    by_type: byType(report, catalog).map(([type, one]) => ({ type, ...sum(one) })),
    daily: report.byDay.map((one) => ({ date: one.day, ...sum(one) })),
    recent: report.recent.map(shownCall),
  };
}

/** A name is one name in whatever case it was written: that of the catalog, if it is there still. */
function byName(report: UsageReport, catalog: Pick<Catalog, "find">): UsageReport["byModel"] {
  const sums = new Map<string, UsageReport["byModel"][number]>();
  for (const one of report.byModel) {
    const found = catalog.find(one.model);
    const model = found?.alias?.id ?? found?.model.id ?? one.model;
    const before = sums.get(model.toLowerCase());
    const sum = before === undefined ? one : added(before, one);
    sums.set(model.toLowerCase(), { ...sum, model: before?.model ?? model });
  }
  return [...sums.values()];
}

/** What was spent on chats, images, searches…: by the kind of each model as the catalog has it now. */
function byType(
  report: UsageReport,
  catalog: Pick<Catalog, "find">,
): readonly (readonly [string, UsageSum])[] {
  const sums = new Map<string, UsageSum>();
  for (const one of report.byModel) {
    const type = typeOf(one.model, catalog);
    const before = sums.get(type);
    sums.set(type, before === undefined ? one : added(before, one));
  }
  return [...sums].sort(([one], [other]) => (one < other ? -1 : 1));
}

function typeOf(model: string, catalog: Pick<Catalog, "find">): string {
  return catalog.find(model)?.model.category ?? "other";
}

function shownCall(call: RecentCall) {
  return {
    call_id: call.callId,
    model: call.model,
    served_by: call.servedBy,
    credits: formatCredits(call.cost),
    ending: call.ending,
    reason: call.problem,
    estimated: call.estimated,
    at: call.endedAt.toISOString(),
  };
}

function accountForm(report: UsageReport, { creditUsd, catalog }: UsageHouse) {
  const sum = (one: UsageSum) => ({
    requests: one.requests,
    cost_usd: usdNumber(one.cost, creditUsd),
    credits: jsonNumber(one.cost),
  });
  const { total } = report;
  return {
    summary: {
      total_requests: total.requests,
      total_usd: usdNumber(total.cost, creditUsd),
      total_credits: jsonNumber(total.cost),
    },
    by_model: byName(report, catalog).map((one) => ({ model: one.model, ...sum(one) })),
    by_type: byType(report, catalog).map(([type, one]) => ({ type, ...sum(one) })),
    daily: report.byDay.map((one) => ({ date: one.day, ...sum(one) })),
    recent: report.recent.map(shownCall),
  };
}
