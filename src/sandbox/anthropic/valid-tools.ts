import { isGiven, isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import type { Generation } from "./versions.ts";

const toolName = /^[\w-]{1,128}$/;

export function checkTools({ tools, tool_choice: choice }: JsonObject, generation: Generation): void {
  if (isGiven(tools) && !Array.isArray(tools)) throw badRequest("tools: a list");
  const names = new Set<string>();
  for (const [at, tool] of objectsIn(tools).entries()) {
    const name = stringOr(tool["name"], "");
    if (!toolName.test(name)) throw badRequest(`tools.${at}.name: 1 to 128 letters, digits, _ or -`);
    if (names.has(name)) throw badRequest("tools: names are not used twice");
    names.add(name);
    // The provider's own tools have a type and no schema.
    const isCustom = !isGiven(tool["type"]) || tool["type"] === "custom";
    const schema = tool["input_schema"];
    if (isCustom && (!isObject(schema) || schema["type"] !== "object")) {
      throw badRequest(`tools.${at}.input_schema: a JSON Schema of type object`);
    }
  }
  if (!isGiven(choice)) return;
  checkChoice(choice, names);
  if (generation.rejectsForcedTools) refuseForce(choice);
}

function checkChoice(choice: unknown, names: ReadonlySet<string>): void {
  const type = isObject(choice) ? choice["type"] : undefined;
  if (!isObject(choice) || (type !== "auto" && type !== "any" && type !== "tool" && type !== "none")) {
    throw badRequest("tool_choice.type: auto, any, tool or none");
  }
  if (names.size === 0) throw badRequest("tool_choice: only for requests with tools");
  if (type === "tool" && !names.has(stringOr(choice["name"], "")))
    throw badRequest("tool_choice.name: not among the tools");
}

function refuseForce(choice: unknown): void {
  const type = isObject(choice) ? choice["type"] : undefined;
  if (type === "any" || type === "tool")
    throw badRequest("tool_choice: this model is not forced to use a tool");
}
