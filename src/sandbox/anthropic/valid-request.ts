import { isGiven, isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { checkMessages, checkTextBlock } from "./valid-messages.ts";
import { checkThinking } from "./valid-thinking.ts";
import { checkOutputFormat } from "./valid-output-format.ts";
import { checkTools } from "./valid-tools.ts";
import { generationOf } from "./versions.ts";
import type { Generation, Version } from "./versions.ts";

const members = new Set(
  (
    "model max_tokens messages system stop_sequences stream tools tool_choice thinking output_config metadata " +
    "service_tier speed cache_control inference_geo container diagnostics context_management mcp_servers " +
    "temperature top_p top_k"
  ).split(" "),
);

/** The body as an object, checked as Anthropic checks it; throws a 400 whose text begins with the member at fault. */
export function validRequest(
  body: string,
  how: { readonly version: Version; readonly isCounting: boolean },
): JsonObject {
  const request = parsed(body);
  const unknown = Object.keys(request).find((name) => !members.has(name));
  if (unknown !== undefined) throw badRequest(`${unknown}: there is no such member.`);
  if (typeof request["model"] !== "string" || request["model"] === "") throw badRequest("model: required");
  const generation = generationOf(request["model"]);
  if (!how.isCounting) checkMaxTokens(request["max_tokens"], generation);
  checkMessages(request["messages"], generation);
  checkSystem(request["system"]);
  checkSampling(request, how.version, generation);
  checkStops(request["stop_sequences"]);
  if (isGiven(request["stream"]) && typeof request["stream"] !== "boolean")
    throw badRequest("stream: true or false");
  checkTools(request, generation);
  checkThinking(request, generation);
  checkOutputFormat(request["output_config"]);
  checkMarks(request);
  return request;
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

/** Zero only warms the cache up. */
function checkMaxTokens(value: unknown, { mostTokens }: Generation): void {
  if (!isGiven(value)) throw badRequest("max_tokens: required");
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw badRequest("max_tokens: a whole number, not negative");
  }
  if (value > mostTokens)
    throw badRequest(`max_tokens: ${value} is more than the ${mostTokens} of this model.`);
}

function checkSystem(system: unknown): void {
  if (!isGiven(system) || typeof system === "string") return;
  if (!Array.isArray(system)) throw badRequest("system: a string or a list of text blocks");
  for (const [at, block] of system.entries()) {
    if (!isObject(block) || block["type"] !== "text") throw badRequest(`system.${at}: a text block`);
    checkTextBlock(block, `system.${at}`);
  }
}

const sampling: readonly (readonly [name: string, high: number])[] = [
  ["temperature", 1],
  ["top_p", 1],
  ["top_k", Number.MAX_SAFE_INTEGER],
];

function checkSampling(request: JsonObject, version: Version, generation: Generation): void {
  for (const [name, high] of sampling) {
    const value = request[name];
    if (!isGiven(value)) continue;
    if (version === "2026-10-21") throw badRequest(`${name}: no longer exists in version ${version}.`);
    if (typeof value !== "number" || value < 0 || value > high)
      throw badRequest(`${name}: a number from 0 to ${high}`);
    if (generation.rejectsSampling && value !== 1)
      throw badRequest(`${name}: only the default is allowed for this model.`);
  }
  if (generation.takesOneOfSampling && isGiven(request["temperature"]) && isGiven(request["top_p"]))
    throw badRequest("temperature: this model does not take it together with top_p.");
}

function checkStops(stops: unknown): void {
  if (!isGiven(stops)) return;
  const isList = Array.isArray(stops) && stops.every((stop) => typeof stop === "string");
  if (!isList) throw badRequest("stop_sequences: a list of strings");
  const blank = stops.findIndex((stop) => typeof stop === "string" && stop.trim() === "");
  if (blank !== -1) throw badRequest(`stop_sequences.${blank}: more than white space`);
}

/** At most four breakpoints, of the one kind there is. */
function checkMarks(request: JsonObject): void {
  const blocks = [request, ...objectsIn(request["tools"]), ...objectsIn(request["system"])];
  for (const { content } of objectsIn(request["messages"])) blocks.push(...objectsIn(content));
  const marks = blocks.map((block) => block["cache_control"]).filter(isGiven);
  if (marks.length > 4) throw badRequest(`cache_control: ${marks.length} are more than the 4 allowed.`);
  for (const mark of marks) {
    const ttl = isObject(mark) ? stringOr(mark["ttl"], "5m") : "";
    if (!isObject(mark) || mark["type"] !== "ephemeral" || (ttl !== "5m" && ttl !== "1h")) {
      throw badRequest("cache_control: the type is ephemeral, the ttl 5m or 1h");
    }
  }
}
