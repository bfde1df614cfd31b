import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import { vectorOf } from "../openai/runs/vector.ts";
import { Refusal } from "../refusal.ts";
import { textsIn, tokensOf } from "../retrieval/texts.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  task: { is: "text" },
  dimensions: { is: "integer", least: 1 },
  normalized: { is: "boolean" },
  embedding_type: { is: "text", oneOf: ["float", "base64"] },
  late_chunking: { is: "boolean" },
  truncate: { is: "boolean" },
};
const mostTexts = 2_048;
const models: ReadonlyMap<string, number> = new Map([
  ["jina-embeddings-v3", 1_024],
  ["jina-embeddings-v4", 2_048],
]);

/** POST /v1/embeddings, texts only. */
export async function embed(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 422);
  const model = stringOr(body["model"], "");
  const most = models.get(model);
  if (most === undefined) throw new Refusal(422, `Model ${model} not found.`);
  const dimensions = numberIn(body["dimensions"]) ?? most;
  if (dimensions > most) throw new Refusal(422, `The model has ${most} dimensions at most.`);
  const texts = textsIn(body["input"], { param: "input", most: mostTexts, status: 422 });
  const isBase64 = body["embedding_type"] === "base64";
  const data = texts.map((text, index) => {
    const vector = vectorOf(text, dimensions);
    const embedding = isBase64 ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = await tokensOf(texts);
  return json({ model, object: "list", usage: { total_tokens: tokens, prompt_tokens: tokens }, data });
}
