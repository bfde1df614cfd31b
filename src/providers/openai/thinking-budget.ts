import type { ChatCall } from "../../core/chat.ts";
import type { Target } from "../wire.ts";

/**
 * Where the output limit does not count thinking, both get a limit, which together are what credits are held for: thinking
 * half of it at most. Returns whether the customer's own budget was larger.
 * https://www.alibabacloud.com/help/en/model-studio/deep-thinking
 */
export function limitThinking(body: Map<string, string>, call: ChatCall, target: Target): boolean {
  if (target.quirks.thinkingOutsideLimit !== true || !mayThink(call, target)) return false;
  const most = Math.max(1, Math.floor(call.maxTokens / 2));
  const asked = budgetOf(call.request["thinking_budget"]);
  const budget = Math.min(asked, most);
  body.set("thinking_budget", String(budget));
  body.set(target.maxTokensField, String(Math.max(1, call.maxTokens - budget)));
  return Number.isFinite(asked) && asked > most;
}

/** Of models that reason, those with a budget think only when they are asked to, all others unless they are told not to. */
function mayThink({ request }: ChatCall, { capabilities }: Target): boolean {
  const wish = request["enable_thinking"];
  if (!capabilities.reasoning || wish === false) return false;
  return (wish !== undefined && wish !== null) || capabilities.thinking !== "budget";
}

function budgetOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : Infinity;
}
