import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { rankedBy } from "../retrieval/ranking.ts";
import { textsIn, tokensOf } from "../retrieval/texts.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  query: { is: "text", isRequired: true, least: 1 },
  documents: { is: "list", isRequired: true, least: 1 },
  top_n: { is: "integer", least: 1 },
  return_documents: { is: "boolean" },
};
const mostDocuments = 2_048;

/** POST /v1/rerank. Documents come back unless that is turned off. The query counts once for every document. */
export async function rerank(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 422);
  const model = stringOr(body["model"], "");
  if (!model.startsWith("jina-reranker-")) throw new Refusal(422, `Model ${model} not found.`);
  const query = stringOr(body["query"], "");
  const documents = textsIn(body["documents"], { param: "documents", most: mostDocuments, status: 422 });
  const ranked = rankedBy(query, documents).slice(0, numberIn(body["top_n"]) ?? documents.length);
  const isShown = body["return_documents"] !== false;
  const results = ranked.map(({ index, score }) => ({
    index,
    relevance_score: score,
    ...(isShown ? { document: { text: documents[index] } } : {}),
  }));
  const tokens = (await tokensOf([query])) * documents.length + (await tokensOf(documents));
  return json({ model, object: "list", usage: { total_tokens: tokens, prompt_tokens: tokens }, results });
}
