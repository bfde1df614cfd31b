import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import { answerOn } from "../web/prose.ts";
import { topicsOf } from "../answers/topics.ts";
import { withoutDirectives } from "../directives.ts";
import { image, mapPlace, news, offer, organic, paper, place, video } from "./things.ts";
import type { Thing } from "./things.ts";

type Vertical = { readonly list: string; readonly thing: Thing; readonly credits: number };

const verticals: Readonly<Record<string, Vertical>> = {
  search: { list: "organic", thing: organic, credits: 1 },
  news: { list: "news", thing: news, credits: 1 },
  images: { list: "images", thing: image, credits: 1 },
  videos: { list: "videos", thing: video, credits: 1 },
  places: { list: "places", thing: place, credits: 1 },
  maps: { list: "places", thing: mapPlace, credits: 3 },
  scholar: { list: "organic", thing: paper, credits: 1 },
  shopping: { list: "shopping", thing: offer, credits: 2 },
};

const rules: FieldRules = {
  gl: { is: "text" },
  hl: { is: "text" },
  location: { is: "text" },
  num: { is: "integer", least: 1, most: 100 },
  page: { is: "integer", least: 1 },
  tbs: { is: "text" },
  ll: { is: "text" },
  autocorrect: { is: "boolean" },
};

const usualResults = 10;
/** More results than these take twice the credits. */
const resultsPerCredit = 10;

/** POST /search, /news, /images and so on. A search for `nothing` finds nothing. */
export function search(request: RunRequest): RunAnswer {
  const type = request.in("vertical");
  const vertical = verticals[type];
  if (vertical === undefined) throw new Refusal(404, "Not found");
  const body = request.json();
  const query = stringOr(body["q"], "");
  if (query === "") throw new Refusal(400, "Missing query parameter 'q'");
  checkFields(body, rules, 400);
  const count = typeof body["num"] === "number" ? body["num"] : usualResults;
  const isBarren = withoutDirectives(query) === "nothing";
  const hits = hitsFor(query, { count: isBarren ? 0 : count });
  return json({
    searchParameters: { ...body, type, engine: "google" },
    ...(type === "search" && !isBarren ? besides(query) : {}),
    [vertical.list]: hits.map((hit, at) => vertical.thing(hit, at + 1, request)),
    credits: vertical.credits * (count > resultsPerCredit && type !== "maps" ? 2 : 1),
  });
}

/** What the first page of a web search has beside its results. */
function besides(query: string): JsonObject {
  const plain = withoutDirectives(query);
  const [topic = plain, other = "examples"] = topicsOf(plain).words;
  const about = answerOn(query, 1);
  return {
    knowledgeGraph: { title: topic, type: "Topic", description: about, attributes: {} },
    peopleAlsoAsk: [
      { question: `What is ${topic}?`, snippet: about, title: topic, link: "https://example.com/faq" },
    ],
    relatedSearches: [{ query: `${topic} ${other}` }, { query: `${topic} explained` }],
  };
}
