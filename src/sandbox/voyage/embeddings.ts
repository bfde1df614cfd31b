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
  input_type: { is: "text", oneOf: ["query", "document"] },
  truncation: { is: "boolean" },
  output_dimension: { is: "integer", oneOf: [256, 512, 1_024, 2_048] },
  output_dtype: { is: "text", oneOf: ["float"] },
  encoding_format: { is: "text", oneOf: ["base64"] },
};
const mostTexts = 1_000;
const usualDimensions = 1_024;
/** These have one size only. */
const fixed: ReadonlySet<string> = new Set(["voyage-finance-2", "voyage-law-2"]);

/** POST /v1/embeddings. */
export async function embed(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  const model = stringOr(body["model"], "");
  if (!model.startsWith("voyage-")) throw new Refusal(400, `Model ${model} is not supported.`);
  const asked = numberIn(body["output_dimension"]);
  if (asked !== undefined && fixed.has(model) && asked !== usualDimensions)
    throw new Refusal(400, `Model ${model} does not support an output dimension of ${asked}.`);
  const texts = textsIn(body["input"], { param: "input", most: mostTexts, status: 400 });
  const isBase64 = body["encoding_format"] === "base64";
  const data = texts.map((text, index) => {
    const vector = vectorOf(text, asked ?? usualDimensions);
    const embedding = isBase64 ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", embedding, index };
  });
  return json({ object: "list", data, model, usage: { total_tokens: await tokensOf(texts) } });
}
