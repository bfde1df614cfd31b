import { checkFields } from "../field-rules.ts";
import { numberIn, stringOr } from "../json.ts";
import { vectorOf } from "../openai/runs/vector.ts";
import { Refusal } from "../refusal.ts";
import { textsIn, tokensOf } from "../retrieval/texts.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

/** The most dimensions of each model; only that for code can have fewer. */
const models: ReadonlyMap<string, { readonly usual: number; readonly most: number }> = new Map([
  ["mistral-embed", { usual: 1_024, most: 1_024 }],
  ["mistral-embed-2312", { usual: 1_024, most: 1_024 }],
  ["codestral-embed", { usual: 1_536, most: 3_072 }],
  ["codestral-embed-2505", { usual: 1_536, most: 3_072 }],
]);
const mostTexts = 512;

/** POST /v1/embeddings. */
export async function embed(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(
    body,
    { model: { is: "text", isRequired: true }, output_dimension: { is: "integer", least: 1 } },
    422,
  );
  const name = stringOr(body["model"], "");
  const model = models.get(name);
  if (model === undefined) throw new Refusal(400, `Invalid model: ${name}`);
  const dimensions = numberIn(body["output_dimension"]) ?? model.usual;
  if (dimensions > model.most) throw new Refusal(400, `The model has ${model.most} dimensions at most.`);
  const texts = textsIn(body["input"], { param: "input", most: mostTexts, status: 422 });
  const tokens = await tokensOf(texts);
  return json({
    id: request.seed.slice(0, 32),
    object: "list",
    data: texts.map((text, index) => ({
      object: "embedding",
      embedding: [...vectorOf(text, dimensions)],
      index,
    })),
    model: name,
    usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
  });
}
