import type { JsonObject } from "../json.ts";
import type { Contents } from "./result.ts";

/** USD; the price list of October 2026. */
const usdPerSearch = 0.007;
const usdPerDeepSearch = 0.015;
const usdPerAnswer = 0.005;
const usdPerPage = 0.001;
/** Results of a search beyond these cost extra. */
const includedResults = 10;

export function costOfSearch(results: number, type: unknown, { hasSummary }: Contents): JsonObject {
  const isDeep = typeof type === "string" && type.startsWith("deep");
  const search = (isDeep ? usdPerDeepSearch : usdPerSearch) + beyond(results) * usdPerPage;
  const summary = hasSummary ? results * usdPerPage : 0;
  return {
    total: rounded(search + summary),
    search: { neural: rounded(search) },
    ...(summary === 0 ? {} : { contents: { summary: rounded(summary) } }),
  };
}

function beyond(results: number): number {
  return Math.max(0, results - includedResults);
}

/** Text, highlights and summary of a page count as a page each. */
export function costOfContents(pages: number, { text, hasHighlights, hasSummary }: Contents): JsonObject {
  const usd = rounded(pages * usdPerPage);
  const contents = {
    ...(text === undefined ? {} : { text: usd }),
    ...(hasHighlights ? { highlights: usd } : {}),
    ...(hasSummary ? { summary: usd } : {}),
  };
  return { total: rounded(Object.keys(contents).length * pages * usdPerPage), contents };
}

export function costOfAnswer(): JsonObject {
  return { total: usdPerAnswer };
}

function rounded(usd: number): number {
  return Math.round(usd * 1_000_000) / 1_000_000;
}
