import { randomFrom } from "../answers/random.ts";
import { fillSchema } from "../answers/schema-filler.ts";
import { topicsOf } from "../answers/topics.ts";
import { withoutDirectives } from "../directives.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import type { Hit } from "../web/hits.ts";
import { answerOn } from "../web/prose.ts";

const rules: FieldRules = {
  q: { is: "text", isRequired: true, least: 1 },
  depth: { is: "text", isRequired: true, oneOf: ["fast", "standard", "deep"] },
  outputType: { is: "text", isRequired: true, oneOf: ["searchResults", "sourcedAnswer", "structured"] },
  structuredOutputSchema: { is: "text" },
  includeImages: { is: "boolean" },
  includeSources: { is: "boolean" },
  includeInlineCitations: { is: "boolean" },
  includeDomains: { is: "list" },
  excludeDomains: { is: "list" },
  maxResults: { is: "integer", least: 1 },
};

const usualResults = 5;
const sourcesOfAnswer = 3;

/** POST /v1/search. The answer tells no price: it depends on the depth. */
export function search(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const query = stringOr(body["q"], "");
  const hits = hitsFor(query, {
    count: typeof body["maxResults"] === "number" ? body["maxResults"] : usualResults,
    domains: stringsIn(body["includeDomains"]),
    without: stringsIn(body["excludeDomains"]),
  });
  if (hits.length === 0) {
    throw new Refusal(400, "The query has no results.", { code: "SEARCH_QUERY_NO_RESULT" });
  }
  switch (body["outputType"]) {
    case "sourcedAnswer":
      return json(sourcedAnswer(query, hits, body["includeInlineCitations"] === true));
    case "structured":
      return json(structured(body, query, { hits, seed: request.seed }));
    default:
      return json({ results: [...hits.map(textResult), ...imagesFor(hits, body)] });
  }
}

function sourcedAnswer(query: string, hits: readonly Hit[], isCited: boolean): JsonObject {
  const answer = answerOn(query, 3);
  const sources = hits.slice(0, sourcesOfAnswer);
  return {
    answer: isCited ? `${answer} [${sources.map((_, at) => at + 1).join("][")}]` : answer,
    sources: sources.map(({ title, url, snippet, favicon }) => ({ name: title, url, snippet, favicon })),
  };
}

type Found = { readonly hits: readonly Hit[]; readonly seed: string };

function structured(body: JsonObject, query: string, { hits, seed }: Found): unknown {
  const schema = schemaIn(body["structuredOutputSchema"]);
  const { words, things } = topicsOf(withoutDirectives(query));
  const data = fillSchema(schema, { random: randomFrom(seed), words: [...things, ...words] });
  return body["includeSources"] === true ? { data, sources: hits.map(textResult) } : data;
}

function schemaIn(text: unknown): JsonObject {
  try {
    const schema: unknown = JSON.parse(stringOr(text, ""));
    if (isObject(schema) && schema["type"] === "object") return schema;
  } catch {
    // Told below, as any other text that is no schema.
  }
  throw new Refusal(400, "structuredOutputSchema must be the JSON text of a schema of an object.", {
    param: "structuredOutputSchema",
  });
}

function textResult({ title, url, snippet, favicon }: Hit): JsonObject {
  return { type: "text", name: title, url, content: snippet, favicon };
}

function imagesFor(hits: readonly Hit[], body: JsonObject): readonly JsonObject[] {
  if (body["includeImages"] !== true) return [];
  return hits
    .slice(0, 2)
    .map(({ title, url }) => ({ type: "image", name: title, url: `${url}/picture.png` }));
}
