import { fingerprintOf } from "../answers/random.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import type { Hit } from "../web/hits.ts";
import { markdownOf, pageAt } from "../web/page.ts";
import { answerOn } from "../web/prose.ts";
import { answer } from "./answer.ts";

const rules: FieldRules = {
  query: { is: "text", isRequired: true, least: 1 },
  search_depth: { is: "text", oneOf: ["basic", "advanced", "fast", "ultra-fast"] },
  topic: { is: "text", oneOf: ["general", "news", "finance"] },
  max_results: { is: "integer", least: 0, most: 20 },
  time_range: { is: "text", oneOf: ["day", "week", "month", "year", "d", "w", "m", "y"] },
  chunks_per_source: { is: "integer", least: 1, most: 3 },
  include_domains: { is: "list", most: 300 },
  exclude_domains: { is: "list", most: 150 },
  include_images: { is: "boolean" },
  include_favicon: { is: "boolean" },
  include_usage: { is: "boolean" },
  country: { is: "text" },
};

const usualResults = 5;

/** POST /search: one credit, two for an advanced search. */
export function search(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const query = stringOr(body["query"], "");
  const hits = hitsFor(query, {
    count: typeof body["max_results"] === "number" ? body["max_results"] : usualResults,
    domains: stringsIn(body["include_domains"]),
    without: stringsIn(body["exclude_domains"]),
  });
  const members = {
    query,
    ...(isWanted(body["include_answer"]) ? { answer: answerOn(query, 2) } : {}),
    follow_up_questions: null,
    images: imagesFor(hits, body, request),
    results: hits.map((hit) => resultOf(hit, body)),
  };
  return answer(request, { members, credits: body["search_depth"] === "advanced" ? 2 : 1 });
}

function resultOf(hit: Hit, body: JsonObject): JsonObject {
  const isNews = body["topic"] === "news";
  return {
    title: hit.title,
    url: hit.url,
    content: hit.snippet,
    score: hit.score,
    raw_content: isWanted(body["include_raw_content"]) ? markdownOf(pageAt(hit.url)) : null,
    ...(isNews ? { published_date: new Date(hit.date).toUTCString() } : {}),
    ...(body["include_favicon"] === true ? { favicon: hit.favicon } : {}),
  };
}

/** True, or one of the words that say in which form. */
function isWanted(value: unknown): boolean {
  return value === true || (typeof value === "string" && value !== "");
}

function imagesFor(hits: readonly Hit[], body: JsonObject, request: RunRequest): readonly unknown[] {
  if (body["include_images"] !== true) return [];
  return hits.slice(0, 3).map(({ title, url, snippet }) => {
    const address = request.fileUrl({
      kind: "jpeg",
      seed: fingerprintOf(`${title} ${url}`),
      width: 640,
      height: 480,
    });
    return body["include_image_descriptions"] === true ? { url: address, description: snippet } : address;
  });
}
