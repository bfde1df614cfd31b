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
  top_k: { is: "integer", least: 1 },
  return_documents: { is: "boolean" },
  truncation: { is: "boolean" },
};
const mostDocuments = 1_000;

/** POST /v1/rerank. The query counts once for every document. */
export async function rerank(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  const model = stringOr(body["model"], "");
  if (!model.startsWith("rerank-")) throw new Refusal(400, `Model ${model} is not supported.`);
  const query = stringOr(body["query"], "");
  const documents = textsIn(body["documents"], { param: "documents", most: mostDocuments, status: 400 });
  const ranked = rankedBy(query, documents).slice(0, numberIn(body["top_k"]) ?? documents.length);
  const isShown = body["return_documents"] === true;
  const data = ranked.map(({ index, score }) => ({
    relevance_score: score,
    index,
    ...(isShown ? { document: documents[index] } : {}),
  }));
  const tokens = (await tokensOf([query])) * documents.length + (await tokensOf(documents));
  return json({ object: "list", data, model, usage: { total_tokens: tokens } });
}
