import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import type { Hit } from "../web/hits.ts";
import { isWebAddress, pageAt } from "../web/page.ts";
import { costOfSearch } from "./cost.ts";
import { contentsIn, requestIdOf, resultOf } from "./result.ts";

const filters: FieldRules = {
  numResults: { is: "integer", least: 1, most: 100 },
  includeDomains: { is: "list", most: 1_200 },
  excludeDomains: { is: "list", most: 1_200 },
  startPublishedDate: { is: "text" },
  endPublishedDate: { is: "text" },
  category: { is: "text" },
  userLocation: { is: "text", least: 2, most: 2 },
};
const types = "keyword neural auto hybrid fast instant deep-lite deep deep-reasoning".split(" ");
const searchRules: FieldRules = {
  query: { is: "text", isRequired: true, least: 1 },
  type: { is: "text", oneOf: types },
  additionalQueries: { is: "list", most: 5 },
  ...filters,
};
const similarRules: FieldRules = {
  url: { is: "text", isRequired: true },
  excludeSourceDomain: { is: "boolean" },
  ...filters,
};

const usualResults = 10;

/** POST /search. */
export function search(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, searchRules, 400);
  const hits = found(stringOr(body["query"], ""), body, []);
  return answered(request, hits, { resolvedSearchType: "neural" });
}

/** POST /findSimilar: pages about what the given one is about. */
export function findSimilar(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, similarRules, 400);
  const { url, excludeSourceDomain } = body;
  if (!isWebAddress(url)) throw badRequest("url must be an http or https address", "url");
  const page = pageAt(url);
  const without = excludeSourceDomain === true ? [new URL(page.url).hostname] : [];
  return answered(request, found(page.title, body, without), {});
}

function found(query: string, body: JsonObject, without: readonly string[]): readonly Hit[] {
  return hitsFor(query, {
    count: typeof body["numResults"] === "number" ? body["numResults"] : usualResults,
    domains: stringsIn(body["includeDomains"]),
    without: [...stringsIn(body["excludeDomains"]), ...without],
  });
}

function answered(request: RunRequest, hits: readonly Hit[], members: JsonObject): RunAnswer {
  const { contents, type } = request.json();
  const wanted = contentsIn(contents);
  return json({
    requestId: requestIdOf(request),
    ...members,
    results: hits.map((hit) => resultOf(hit, wanted)),
    costDollars: costOfSearch(hits.length, type, wanted),
    searchTime: 512.3,
  });
}
