import { isGiven, isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import type { Generation } from "./versions.ts";

const leastBudgetTokens = 1_024;

const types = new Set<unknown>(["enabled", "adaptive", "between_tools", "disabled"]);

export function checkThinking(request: JsonObject, generation: Generation): void {
  const { thinking } = request;
  if (!isGiven(thinking)) return;
  if (!isObject(thinking) || !types.has(thinking["type"])) {
    throw badRequest(`thinking.type: one of ${[...types].join(", ")}`);
  }
  const { type } = thinking;
  if (type === "disabled") {
    if (generation.alwaysThinks) throw badRequest("thinking.type: this model always thinks");
    if (generation.thinksBetweenTools) throw badRequest("thinking.type: between_tools instead of disabled");
    return;
  }
  if (type === "between_tools") checkBetweenTools(thinking, request["output_config"], generation);
  if (type === "enabled") checkBudget(thinking["budget_tokens"], request["max_tokens"], generation);
  if (type === "adaptive" && !generation.hasAdaptive) {
    throw badRequest("thinking.type: this model does not think adaptively");
  }
  checkCompany(request);
}

function checkBetweenTools(thinking: JsonObject, config: unknown, generation: Generation): void {
  if (!generation.thinksBetweenTools) throw badRequest("thinking.type: this model has no between_tools");
  if (Object.keys(thinking).length > 1) throw badRequest("thinking: between_tools has no other members");
  const effort = isObject(config) ? config["effort"] : undefined;
  if (effort === "xhigh" || effort === "max")
    throw badRequest("thinking.type: between_tools up to effort high");
}

/** What cannot be asked for together with thinking. */
function checkCompany({ tool_choice: choice, temperature }: JsonObject): void {
  if (isObject(choice) && (choice["type"] === "any" || choice["type"] === "tool")) {
    throw badRequest("tool_choice: a model that thinks cannot be forced to use a tool");
  }
  if (isGiven(temperature) && temperature !== 1)
    throw badRequest("temperature: only 1 is allowed with thinking");
}

function checkBudget(budget: unknown, maxTokens: unknown, generation: Generation): void {
  if (!generation.hasBudget) throw badRequest("thinking.type: this model thinks adaptively only");
  if (typeof budget !== "number" || !Number.isInteger(budget) || budget < leastBudgetTokens) {
    throw badRequest(`thinking.budget_tokens: at least ${leastBudgetTokens}`);
  }
  if (typeof maxTokens === "number" && budget >= maxTokens)
    throw badRequest("thinking.budget_tokens: less than max_tokens");
}
