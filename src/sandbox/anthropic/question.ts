import type { Question } from "../answers/question.ts";
import { withoutDirectives } from "../directives.ts";
import type { Directives } from "../directives.ts";
import { isObject, objectsIn, stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { withToldLimits } from "./told-limits.ts";
import { generationOf } from "./versions.ts";

export function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return objectsIn(content)
    .filter(({ type }) => type === "text")
    .map((block) => stringOr(block["text"], ""))
    .join("\n");
}

export function lastUserText(request: JsonObject): string {
  const spoken = objectsIn(request["messages"]).findLast(
    ({ role, content }) => role === "user" && textIn(content) !== "",
  );
  return textIn(spoken?.["content"]);
}

export function questionOf(request: JsonObject, fingerprint: string, directives: Directives): Question {
  const { max_tokens, tool_choice: choice } = request;
  return {
    fingerprint,
    prompt: withoutDirectives(lastUserText(request)),
    toolResults: toolResultsOf(request),
    tools: objectsIn(request["tools"]).map((tool) => ({
      name: stringOr(tool["name"], ""),
      description: stringOr(tool["description"], ""),
      schema: withToldLimits(tool["input_schema"]),
    })),
    toolChoice: toolChoiceOf(choice),
    mayCallInParallel: !isObject(choice) || choice["disable_parallel_tool_use"] !== true,
    json: jsonOf(request),
    maxTokens: typeof max_tokens === "number" ? max_tokens : 0,
    lengthTokens: directives.lengthTokens,
    stops: stringsIn(request["stop_sequences"]),
    thinks: isThinking(request["thinking"]) || generationOf(stringOr(request["model"], "")).alwaysThinks,
    choices: 1,
  };
}

/** Asked for by a format, or in words by the system prompt. */
function jsonOf({ output_config: config, system }: JsonObject): Question["json"] {
  const format = isObject(config) ? config["format"] : undefined;
  if (isObject(format)) return { schema: withToldLimits(format["schema"]) };
  return jsonOnly.test(textIn(system)) ? { schema: undefined } : undefined;
}

/** As in "answer only with a JSON object", "nothing but JSON", "one JSON object and nothing else". */
const jsonOnly =
  /\b(?:only|just|nothing but)\b(?: \w+){0,4} JSON\b|\bJSON\b(?: \w+){0,3},? (?:only|alone|and nothing else)\b/i;

function toolResultsOf(request: JsonObject): readonly string[] {
  const last = objectsIn(request["messages"]).at(-1);
  return objectsIn(last?.["content"])
    .filter(({ type }) => type === "tool_result")
    .map((block) => textIn(block["content"]));
}

function toolChoiceOf(choice: unknown): Question["toolChoice"] {
  if (!isObject(choice)) return "auto";
  switch (choice["type"]) {
    case "any":
      return "required";
    case "none":
      return "none";
    case "tool":
      return { name: stringOr(choice["name"], "") };
    default:
      return "auto";
  }
}

export function isThinking(thinking: unknown): boolean {
  return isObject(thinking) && thinking["type"] !== "disabled" && thinking["type"] !== "between_tools";
}
