import { isGiven, isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";

const toolName = /^[\w-]{1,64}$/;
const mostTools = 128;

export function checkTools(request: JsonObject): void {
  const { tools, tool_choice: choice } = request;
  if (!isGiven(tools)) {
    if (isGiven(choice) && choice !== "none" && choice !== "auto") {
      throw badRequest("tool_choice is only for requests with tools.", "tool_choice");
    }
    return;
  }
  if (!Array.isArray(tools) || tools.length === 0 || tools.length > mostTools) {
    throw badRequest(`tools is a list of 1 to ${mostTools} tools.`, "tools");
  }
  const names = objectsIn(tools).map((tool, at) => checkedName(tool, `tools[${at}]`));
  if (names.length < tools.length) throw badRequest("A tool is an object.", "tools");
  checkChoice(choice, new Set(names));
}

function checkedName(tool: JsonObject, place: string): string {
  const type = stringOr(tool["type"], "");
  const described = type === "function" || type === "custom" ? tool[type] : undefined;
  if (!isObject(described))
    throw badRequest("A tool has the type function or custom, and a member of that name.", place);
  const name = stringOr(described["name"], "");
  if (!toolName.test(name))
    throw badRequest("A tool's name is 1 to 64 letters, digits, _ or -.", `${place}.${type}.name`);
  const { parameters } = described;
  if (isGiven(parameters) && !isObject(parameters)) {
    throw badRequest("parameters is a JSON Schema.", `${place}.${type}.parameters`);
  }
  if (isObject(parameters) && isGiven(parameters["type"]) && parameters["type"] !== "object") {
    throw badRequest("parameters is a JSON Schema of type object.", `${place}.${type}.parameters`);
  }
  return name;
}

function checkChoice(choice: unknown, names: ReadonlySet<string>): void {
  if (!isGiven(choice) || choice === "none" || choice === "auto" || choice === "required") return;
  if (!isObject(choice)) throw badRequest("tool_choice is none, auto, required or an object.", "tool_choice");
  if (choice["type"] === "allowed_tools") return;
  const named = choice["function"] ?? choice["custom"];
  const name = isObject(named) ? stringOr(named["name"], "") : "";
  if (!names.has(name)) throw badRequest(`${JSON.stringify(name)} is not among the tools.`, "tool_choice");
}
