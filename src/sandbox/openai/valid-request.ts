import { isGiven, isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { checkMessages } from "./valid-messages.ts";
import { checkTools } from "./valid-tools.ts";

/** The body as an object, checked as OpenAI checks it; throws a 400 that names the member at fault. */
export function validRequest(body: string): JsonObject {
  const request = parsed(body);
  if (typeof request["model"] !== "string" || request["model"] === "") throw missing("model");
  checkMessages(request["messages"]);
  for (const [name, low, high] of numbers) checkNumber(request, name, { low, high });
  for (const [name, low, high] of wholeNumbers) {
    checkNumber(request, name, { low, high });
    if (isGiven(request[name]) && !Number.isInteger(request[name]))
      throw badRequest(`${name} is a whole number.`, name);
  }
  if (isGiven(request["max_tokens"]) && isGiven(request["max_completion_tokens"])) {
    throw badRequest("max_tokens and max_completion_tokens exclude each other.", "max_tokens");
  }
  for (const name of ["stream", "parallel_tool_calls", "logprobs", "store"]) {
    if (isGiven(request[name]) && typeof request[name] !== "boolean")
      throw badRequest(`${name} is true or false.`, name);
  }
  checkLogprobs(request);
  checkStop(request["stop"]);
  checkStreamOptions(request);
  checkTools(request);
  checkFormat(request["response_format"]);
  return request;
}

function missing(param: string): Refusal {
  return new Refusal(400, `${param} is required.`, { param, code: "missing_required_parameter" });
}

function parsed(body: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw badRequest("The body is not JSON.");
  }
  if (!isObject(value)) throw badRequest("The body is not a JSON object.");
  return value;
}

const largest = Number.MAX_SAFE_INTEGER;
type Range = readonly [name: string, low: number, high: number];

const numbers: readonly Range[] = [
  ["temperature", 0, 2],
  ["top_p", 0, 1],
  ["frequency_penalty", -2, 2],
  ["presence_penalty", -2, 2],
];
const wholeNumbers: readonly Range[] = [
  ["n", 1, 128],
  ["max_tokens", 1, largest],
  ["max_completion_tokens", 1, largest],
  ["top_logprobs", 0, 20],
  ["seed", -largest, largest],
];

function checkNumber(request: JsonObject, name: string, { low, high }: { low: number; high: number }): void {
  const value = request[name];
  if (!isGiven(value)) return;
  if (typeof value !== "number")
    throw new Refusal(400, `${name} is a number.`, { param: name, code: "invalid_type" });
  if (value < low || value > high) {
    throw new Refusal(400, `${name} is from ${low} to ${high}.`, { param: name, code: "invalid_value" });
  }
}

function checkLogprobs({ logprobs, top_logprobs: alternatives }: JsonObject): void {
  if (!isGiven(alternatives) || logprobs === true) return;
  throw badRequest("top_logprobs is for requests with logprobs.", "top_logprobs");
}

function checkStop(stop: unknown): void {
  if (!isGiven(stop) || typeof stop === "string") return;
  const isList = Array.isArray(stop) && stop.length <= 4 && stop.every((one) => typeof one === "string");
  if (!isList) throw badRequest("stop is a string or up to four strings.", "stop");
}

function checkStreamOptions({ stream, stream_options }: JsonObject): void {
  if (!isGiven(stream_options)) return;
  if (!isObject(stream_options)) throw badRequest("stream_options is an object.", "stream_options");
  if (stream !== true) throw badRequest("stream_options is for streams only.", "stream_options");
}

function checkFormat(format: unknown): void {
  if (!isGiven(format)) return;
  const type = isObject(format) ? format["type"] : undefined;
  if (type !== "text" && type !== "json_object" && type !== "json_schema") {
    throw badRequest("response_format.type is text, json_object or json_schema.", "response_format.type");
  }
  if (type === "json_schema" && isObject(format)) checkSchemaFormat(format["json_schema"]);
}

function checkSchemaFormat(described: unknown): void {
  if (!isObject(described)) throw missing("response_format.json_schema");
  const { name, schema } = described;
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
    throw badRequest(
      "The schema's name is 1 to 64 letters, digits, _ or -.",
      "response_format.json_schema.name",
    );
  }
  if (isGiven(schema) && !isObject(schema)) {
    throw badRequest("The schema is an object.", "response_format.json_schema.schema");
  }
}
