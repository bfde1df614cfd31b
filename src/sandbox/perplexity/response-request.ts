import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal, badRequest } from "../refusal.ts";

const rules: FieldRules = {
  instructions: { is: "text" },
  language_preference: { is: "text" },
  max_output_tokens: { is: "integer", least: 1 },
  max_steps: { is: "integer", least: 1, most: 100 },
  max_tool_calls: { is: "integer", least: 0 },
  metadata: { is: "object" },
  model: { is: "text" },
  models: { is: "list", most: 5 },
  preset: { is: "text", oneOf: ["fast", "low", "medium", "high", "xhigh"] },
  previous_response_id: { is: "text" },
  reasoning: { is: "object" },
  response_format: { is: "object" },
  store: { is: "boolean" },
  stream: { is: "boolean" },
  temperature: { is: "number", least: 0, most: 2 },
  tools: { is: "list" },
  top_p: { is: "number", least: 0, most: 1 },
};
const otherMembers = ["input", "tool_choice", "parallel_tool_calls", "stream_options", "truncation"];
const known: ReadonlySet<string> = new Set([...Object.keys(rules), ...otherMembers]);

export type Asked = {
  readonly model: string;
  /** What is asked last. */
  readonly question: string;
  /** Everything that is said. */
  readonly said: string;
  readonly mostTokens: number;
  /** Undefined where nothing may be searched. */
  readonly webSearch: JsonObject | undefined;
  /** The schema of an answer that is JSON. */
  readonly schema: unknown;
};

const usualTokens = 8_192;

/** Reads a request strictly, as the Agent API does: a member that it does not know is a 400. */
export function askedIn(body: JsonObject): Asked {
  const unknown = Object.keys(body).find((member) => !known.has(member));
  if (unknown !== undefined) {
    throw badRequest(`invalid request body: json: unknown field ${JSON.stringify(unknown)}`, unknown);
  }
  checkFields(body, rules, 400);
  if (body["stream"] === true) throw badRequest("The sandbox answers whole only.", "stream");
  const texts = textsIn(body["input"]);
  const question = texts.at(-1) ?? "";
  if (question === "") throw badRequest("input is required", "input");
  const { max_output_tokens: mostTokens, max_tool_calls: mostCalls, response_format: format } = body;
  const tool = objectsIn(body["tools"]).find(({ type }) => type === "web_search");
  const schema =
    isObject(format) && isObject(format["json_schema"]) ? format["json_schema"]["schema"] : undefined;
  return {
    model: modelIn(body),
    question,
    said: [stringOr(body["instructions"], ""), ...texts].join("\n"),
    mostTokens: typeof mostTokens === "number" ? Math.max(16, mostTokens) : usualTokens,
    webSearch: mostCalls === 0 ? undefined : (tool ?? (body["preset"] === undefined ? undefined : {})),
    schema,
  };
}

function modelIn({ model, models, preset }: JsonObject): string {
  const name = Array.isArray(models) ? models[0] : model;
  if (name === undefined && preset !== undefined) return "perplexity/sonar";
  if (typeof name !== "string") throw badRequest("model, models or preset is required", "model");
  const isKnown = name === "perplexity/sonar" || /^(?:openai|anthropic|google|xai)\/./.test(name);
  if (isKnown) return name;
  const message = `validation failed: model ${JSON.stringify(name)} is not supported`;
  throw new Refusal(400, message, { param: "model", code: "invalid_model" });
}

function textsIn(input: unknown): readonly string[] {
  if (typeof input === "string") return [input];
  return objectsIn(input).map(({ content }) =>
    typeof content === "string"
      ? content
      : objectsIn(content)
          .map(({ text }) => stringOr(text, ""))
          .join(" "),
  );
}
