import { fingerprintOf } from "../../answers/random.ts";
import { loadTokenizer } from "../../answers/tokens.ts";
import { checkFields } from "../../field-rules.ts";
import type { FieldRules } from "../../field-rules.ts";
import { numberIn, stringOr } from "../../json.ts";
import type { JsonObject } from "../../json.ts";
import { badRequest } from "../../refusal.ts";
import { json } from "../../run-answer.ts";
import type { RunAnswer } from "../../run-answer.ts";
import type { RunRequest } from "../../run-request.ts";
import { refuseMissing } from "../models.ts";
import { vectorOf } from "./vector.ts";

const rules: FieldRules = {
  model: { is: "text", isRequired: true },
  dimensions: { is: "integer", least: 1, most: 3_072 },
  encoding_format: { is: "text", oneOf: ["float", "base64"] },
};

const mostInputs = 2_048;
const usualDimensions = 1_536;
const largeDimensions = 3_072;

/** POST /v1/embeddings: texts that share words have similar vectors. */
export async function embed(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  const model = stringOr(body["model"], "");
  refuseMissing(model);
  const inputs = inputsIn(body);
  const most = model.includes("large") ? largeDimensions : usualDimensions;
  const dimensions = numberIn(body["dimensions"]) ?? most;
  if (dimensions > most) throw badRequest(`The model has ${most} dimensions.`, "dimensions");
  const isBase64 = body["encoding_format"] === "base64";
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input.text, dimensions);
    const embedding = isBase64 ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = await tokensIn(inputs);
  return json({ object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

type Input = { readonly text: string; readonly tokens: number | undefined };

/** A text, a list of texts, a text in tokens, or a list of those. */
function inputsIn({ input }: JsonObject): readonly Input[] {
  const isTokens = (value: unknown): value is readonly number[] =>
    Array.isArray(value) && value.length > 0 && value.every((item) => Number.isInteger(item));
  const list = Array.isArray(input) && !isTokens(input) ? input : [input];
  if (list.length === 0 || list.length > mostInputs) {
    throw badRequest(`'input' must have from 1 to ${mostInputs} items.`, "input");
  }
  return list.map((item: unknown) => {
    if (typeof item === "string" && item !== "") return { text: item, tokens: undefined };
    if (isTokens(item)) return { text: fingerprintOf(item.join(" ")), tokens: item.length };
    throw badRequest("'input' must be texts or tokens, none of them empty.", "input");
  });
}

async function tokensIn(inputs: readonly Input[]): Promise<number> {
  const tokenizer = await loadTokenizer();
  const texts = inputs.filter(({ tokens }) => tokens === undefined).map(({ text }) => text);
  const counted = inputs.reduce((sum, { tokens = 0 }) => sum + tokens, 0);
  return counted + (await tokenizer.countAll(texts));
}
