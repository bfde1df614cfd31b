import type { Question, Tool } from "../answers/question.ts";
import { withoutDirectives } from "../directives.ts";
import type { Directives } from "../directives.ts";
import { isGiven, isObject, objectsIn, stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";

/** What an answer may be long when the request does not say. */
const defaultMaxTokens = 16_384;

export function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return objectsIn(content)
    .map((part) => stringOr(part["text"], ""))
    .filter((text) => text !== "")
    .join("\n");
}

export function lastUserText(request: JsonObject): string {
  return textIn(
    objectsIn(request["messages"]).findLast((message) => message["role"] === "user")?.["content"],
  );
}

export function questionOf(request: JsonObject, fingerprint: string, directives: Directives): Question {
  const maxTokens = request["max_completion_tokens"] ?? request["max_tokens"];
  const { stop } = request;
  return {
    fingerprint,
    prompt: withoutDirectives(lastUserText(request)),
    toolResults: toolResultsOf(request),
    tools: toolsOf(request),
    toolChoice: toolChoiceOf(request),
    mayCallInParallel: request["parallel_tool_calls"] !== false && !hasFunctions(request),
    json: jsonOf(request["response_format"]),
    maxTokens: typeof maxTokens === "number" ? maxTokens : defaultMaxTokens,
    lengthTokens: lengthOf(request, directives),
    stops: typeof stop === "string" ? [stop] : stringsIn(stop),
    thinks: isThinking(request),
    choices: typeof request["n"] === "number" ? request["n"] : 1,
  };
}

/** All choices together stay within a bound, so that an ordered length times `n` cannot keep the process busy. */
const longestAnswersTokens = 65_536;
/** Told with its alternatives, a token is as much as twenty. */
const longestWithLogprobsTokens = 8_192;

function lengthOf({ n, logprobs }: JsonObject, { lengthTokens }: Directives): number | undefined {
  const longest = logprobs === true ? longestWithLogprobsTokens : longestAnswersTokens;
  const share = Math.floor(longest / (typeof n === "number" ? n : 1));
  return lengthTokens === undefined ? undefined : Math.min(lengthTokens, share);
}

/** The tool messages at the end of the conversation; users may show right behind them what a tool cannot. */
function toolResultsOf(request: JsonObject): readonly string[] {
  const messages = objectsIn(request["messages"]);
  const said = messages.slice(0, shows(messages.at(-1)) ? -1 : undefined);
  const isResult = ({ role }: JsonObject): boolean => role === "tool" || role === "function";
  const lastOther = said.findLastIndex((message) => !isResult(message));
  return said.slice(lastOther + 1).map((message) => textIn(message["content"]));
}

function shows(message: JsonObject = {}): boolean {
  return message["role"] === "user" && objectsIn(message["content"]).some(({ type }) => type !== "text");
}

/** Asked in the words that tools had before: `functions`, of which one is called at a time. */
export function hasFunctions({ tools, functions }: JsonObject): boolean {
  return !isGiven(tools) && objectsIn(functions).length > 0;
}

/** A function without parameters takes none. */
const noParameters = { type: "object", properties: {}, additionalProperties: false };

/** Only those that `allowed_tools` leaves, where it is given. */
function toolsOf(request: JsonObject): readonly Tool[] {
  const { tool_choice: choice } = request;
  const allowed = isObject(choice) && isObject(choice["allowed_tools"]) ? choice["allowed_tools"] : undefined;
  const names = allowed === undefined ? undefined : new Set(objectsIn(allowed["tools"]).map(nameOf));
  const functions = hasFunctions(request) ? objectsIn(request["functions"]) : [];
  const older = functions.map((called) => ({ type: "function", function: called }));
  return [...objectsIn(request["tools"]), ...older].flatMap((offered: JsonObject) => {
    const name = nameOf(offered);
    const tool = offered["function"] ?? offered["custom"];
    if (!isObject(tool) || (names !== undefined && !names.has(name))) return [];
    const description = stringOr(tool["description"], "");
    return [
      {
        name,
        description,
        schema: tool["parameters"] ?? noParameters,
        isCustom: offered["type"] === "custom",
      },
    ];
  });
}

function nameOf({ function: called, custom }: JsonObject): string {
  const named = called ?? custom;
  return isObject(named) ? stringOr(named["name"], "") : "";
}

function toolChoiceOf(request: JsonObject): Question["toolChoice"] {
  const { tool_choice, function_call: older } = request;
  if (hasFunctions(request)) {
    if (isObject(older)) return { name: stringOr(older["name"], "") };
    return older === "none" ? "none" : "auto";
  }
  if (tool_choice === "none" || tool_choice === "required") return tool_choice;
  if (!isObject(tool_choice)) return "auto";
  const name = nameOf(tool_choice);
  if (name !== "") return { name };
  const allowed = tool_choice["allowed_tools"];
  return isObject(allowed) && allowed["mode"] === "required" ? "required" : "auto";
}

function jsonOf(format: unknown): Question["json"] {
  if (!isObject(format)) return undefined;
  if (format["type"] === "json_object") return { schema: undefined };
  const described = format["json_schema"];
  return format["type"] === "json_schema" && isObject(described)
    ? { schema: described["schema"] }
    : undefined;
}

/** Asked for by effort (OpenAI, xAI, Groq), by `thinking` (DeepSeek) or by `enable_thinking` (Qwen). */
function isThinking({ reasoning_effort, thinking, enable_thinking }: JsonObject): boolean {
  if (isGiven(reasoning_effort)) return reasoning_effort !== "none" && reasoning_effort !== "minimal";
  return enable_thinking === true || (isObject(thinking) && thinking["type"] === "enabled");
}
