import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { numberIn, stringOr, stringsIn } from "../json.ts";
import { vectorOf } from "../openai/runs/vector.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { textsIn, tokensOf } from "../retrieval/texts.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  input_type: {
    is: "text",
    isRequired: true,
    oneOf: ["search_document", "search_query", "classification", "clustering", "image"],
  },
  texts: { is: "list" },
  embedding_types: { is: "list" },
  truncate: { is: "text", oneOf: ["NONE", "START", "END"] },
  output_dimension: { is: "integer", oneOf: [256, 512, 1_024, 1_536] },
};
const mostTexts = 96;
const models: ReadonlyMap<string, number> = new Map([
  ["embed-v4.0", 1_536],
  ["embed-english-v3.0", 1_024],
  ["embed-multilingual-v3.0", 1_024],
]);

/** POST /v2/embed, texts only. Vectors of each type that is asked for; charged by the token. */
export async function embed(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  const model = stringOr(body["model"], "");
  const most = models.get(model);
  if (most === undefined)
    throw new Refusal(404, `model '${model}' not found, make sure the correct model ID was used.`);
  const asked = numberIn(body["output_dimension"]);
  if (asked !== undefined && model !== "embed-v4.0")
    throw badRequest("output_dimension is not supported for this model");
  const texts = textsIn(body["texts"], { param: "texts", most: mostTexts, status: 400 });
  const vectors = texts.map((text) => vectorOf(text, asked ?? most));
  const types = stringsIn(body["embedding_types"]);
  return json({
    id: request.seed.slice(0, 32),
    texts,
    embeddings: {
      ...(types.length === 0 || types.includes("float")
        ? { float: vectors.map((vector) => [...vector]) }
        : {}),
      ...(types.includes("int8") ? { int8: vectors.map(asInt8) } : {}),
      ...(types.includes("base64") ? { base64: vectors.map(asBase64) } : {}),
    },
    meta: { api_version: { version: "2" }, billed_units: { input_tokens: await tokensOf(texts) } },
    response_type: "embeddings_by_type",
  });
}

function asInt8(vector: Float32Array): readonly number[] {
  return [...vector].map((value) => Math.round(Math.max(-1, Math.min(1, value)) * 127));
}

function asBase64(vector: Float32Array<ArrayBuffer>): string {
  return Buffer.from(vector.buffer).toString("base64");
}
