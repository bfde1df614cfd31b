import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import type { Hit } from "../web/hits.ts";

const recencies = ["hour", "day", "week", "month", "year"];
const rules: FieldRules = {
  max_results: { is: "integer", least: 1, most: 20 },
  max_tokens: { is: "integer", least: 1 },
  max_tokens_per_page: { is: "integer", least: 1 },
  country: { is: "text", least: 2, most: 2 },
  search_domain_filter: { is: "list", most: 20 },
  search_recency_filter: { is: "text", oneOf: recencies },
  search_after_date_filter: { is: "text" },
  search_before_date_filter: { is: "text" },
};

const usualResults = 10;
const mostQueries = 5;

/** POST /search. */
export function search(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const queries = queriesIn(body["query"]);
  const count = typeof body["max_results"] === "number" ? body["max_results"] : usualResults;
  const hits = queries.flatMap((query) => searched(query, count, body["search_domain_filter"]));
  return json({
    results: hits.slice(0, count).map((hit) => resultOf(hit)),
    id: request.seed.slice(0, 32),
    server_time: new Date(request.now()).toISOString(),
  });
}

function queriesIn(query: unknown): readonly string[] {
  const queries = typeof query === "string" ? [query] : stringsIn(query);
  if (queries.length === 0 || queries.includes("")) throw badRequest("query is required", "query");
  if (queries.length > mostQueries) throw badRequest(`at most ${mostQueries} queries`, "query");
  return queries;
}

/** Domains with a minus before them are left out; the others are the only ones. */
export function searched(query: string, count: number, filter: unknown): readonly Hit[] {
  const named = stringsIn(filter);
  return hitsFor(query, {
    count,
    domains: named.filter((domain) => !domain.startsWith("-")),
    without: named.filter((domain) => domain.startsWith("-")).map((domain) => domain.slice(1)),
  });
}

export function resultOf({ title, url, snippet, date }: Hit): JsonObject {
  return { title, url, snippet, date, last_updated: date };
}
