import { loadTokenizer } from "../answers/tokens.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { rankedBy } from "../retrieval/ranking.ts";
import { textsIn } from "../retrieval/texts.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  query: { is: "text", isRequired: true, least: 1 },
  documents: { is: "list", isRequired: true, least: 1 },
  top_n: { is: "integer", least: 1 },
  max_tokens_per_doc: { is: "integer", least: 1 },
};
const mostDocuments = 10_000;
const usualTokensPerDocument = 4_096;
const documentsPerSearch = 100;
/** A longer document, with the query, counts as several. */
const tokensPerChunk = 500;

/** POST /v2/rerank. A search unit is a query with up to a hundred documents. */
export async function rerank(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  const model = stringOr(body["model"], "");
  if (!model.startsWith("rerank-"))
    throw new Refusal(404, `model '${model}' not found, make sure the correct model ID was used.`);
  const query = stringOr(body["query"], "");
  const documents = textsIn(body["documents"], { param: "documents", most: mostDocuments, status: 400 });
  const ranked = rankedBy(query, documents).slice(0, numberIn(body["top_n"]) ?? documents.length);
  const mostTokens = numberIn(body["max_tokens_per_doc"]) ?? usualTokensPerDocument;
  return json({
    id: request.seed.slice(0, 32),
    results: ranked.map(({ index, score }) => ({ index, relevance_score: score })),
    meta: {
      api_version: { version: "2" },
      billed_units: { search_units: await searchesOf(query, documents, mostTokens) },
    },
  });
}

async function searchesOf(query: string, documents: readonly string[], mostTokens: number): Promise<number> {
  const tokenizer = await loadTokenizer();
  const asked = await tokenizer.countAll([query]);
  let chunks = 0;
  for (const document of documents) {
    const tokens = Math.min(mostTokens, await tokenizer.countAll([document]));
    chunks += Math.max(1, Math.ceil((tokens + asked) / tokensPerChunk));
  }
  return Math.ceil(chunks / documentsPerSearch);
}
