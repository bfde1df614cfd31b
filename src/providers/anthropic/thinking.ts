import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Capabilities } from "../../core/model.ts";
import { refused } from "./conversion.ts";
import type { Block, Conversion } from "./conversion.ts";
import type { Turn } from "./turns.ts";

export type ThinkingPlan = {
  readonly thinking?: Block;
  readonly effort?: string;
  /** The output limit to send: thinking counts towards it. */
  readonly maxTokens: number;
};

/** What decides about thinking beside the wish for it. */
export type Circumstances = {
  readonly maxTokens: number;
  readonly isToolForced: boolean;
  readonly turns: readonly Turn[];
};

type Effort = { readonly effort: string; readonly budget: number };
type Wish = {
  readonly isOn: boolean;
  readonly effort: string | undefined;
  readonly budget: number;
  /** The budget that the customer gave. */
  readonly asked: number | undefined;
  readonly display: unknown;
  readonly members: readonly string[];
};

/** The least budget Anthropic takes; https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const leastBudget = 1024;

/** OpenAI's efforts as Anthropic's, and as tokens. Not every adaptive model knows `xhigh`, so it becomes `max`. */
const efforts: ReadonlyMap<string, Effort> = new Map([
  ["minimal", { effort: "low", budget: leastBudget }],
  ["low", { effort: "low", budget: 2048 }],
  ["medium", { effort: "medium", budget: 8192 }],
  ["high", { effort: "high", budget: 16_384 }],
  ["xhigh", { effort: "max", budget: 32_768 }],
  ["max", { effort: "max", budget: 32_768 }],
]);
const usualBudget = 8192;
const unknownEffort = `reasoning_effort: want one of none, ${[...efforts.keys()].join(", ")}`;

/** Turns `reasoning_effort` or `thinking` into what the model takes, or names them as dropped. */
export function thinkingOf(conversion: Conversion, circumstances: Circumstances): ThinkingPlan {
  const wish = wishOf(conversion);
  const plan = planFor(wish, conversion, circumstances);
  const isThinking = wish?.isOn === true && plan.thinking !== undefined;
  if (isThinking && wish.asked !== undefined && plan.thinking["budget_tokens"] !== wish.asked)
    conversion.changed.add("thinking.budget_tokens");
  return plan;
}

function planFor(wish: Wish | undefined, conversion: Conversion, circumstances: Circumstances): ThinkingPlan {
  const { capabilities, maxOutput } = conversion.target;
  const maxTokens = Math.min(circumstances.maxTokens, maxOutput);
  const kind = capabilities.thinking;
  if (wish === undefined) return { maxTokens };
  if (!wish.isOn) return withoutThoughts(conversion, wish, maxTokens);
  if (kind === "none" || circumstances.isToolForced) return without(conversion, wish, maxTokens);
  if (kind !== "budget") {
    const thinking = { type: "adaptive", display: wish.display ?? "summarized" };
    return { maxTokens, thinking, ...(wish.effort === undefined ? {} : { effort: wish.effort }) };
  }
  const plan = isInUnsignedToolLoop(circumstances.turns) ? undefined : withBudget(wish, maxTokens);
  return plan ?? without(conversion, wish, maxTokens);
}

/**
 * A model that always thinks refuses to be told not to; it is asked to think as little as it can. `between_tools` takes no
 * other member and no effort above `high`, which is the usual one, so none is sent with it.
 * https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
 * https://platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5
 */
function withoutThoughts(conversion: Conversion, wish: Wish, maxTokens: number): ThinkingPlan {
  switch (conversion.target.capabilities.thinking) {
    case "none":
      return { maxTokens };
    case "always":
      return { ...without(conversion, wish, maxTokens), effort: "low" };
    case "between_tools":
      return { maxTokens, thinking: { type: "between_tools" } };
    case "budget":
    case "adaptive":
      return { maxTokens, thinking: { type: "disabled" } };
  }
}

function without({ dropped }: Conversion, wish: Wish, maxTokens: number): ThinkingPlan {
  for (const member of wish.members) dropped.add(member);
  return { maxTokens };
}

/**
 * Thinking counts towards `max_tokens`, and `max_tokens` is what credits are held for: it is never raised. The budget takes
 * at most half of it, so that room for the answer is left.
 */
function withBudget(wish: Wish, maxTokens: number): ThinkingPlan | undefined {
  const budget = Math.min(wish.budget, Math.floor(maxTokens / 2));
  if (budget < leastBudget) return undefined;
  const display = wish.display === undefined ? {} : { display: wish.display };
  return { maxTokens, thinking: { type: "enabled", budget_tokens: budget, ...display } };
}

/** `thinking`, Anthropic's own member, goes before `reasoning_effort`, which then only tells the effort. */
function wishOf({ request, target, dropped }: Conversion): Wish | undefined {
  const { thinking, reasoning_effort: name } = request;
  const effort = name === undefined || name === null ? undefined : effortNamed(name);
  const members = effort === undefined ? [] : ["reasoning_effort"];
  const isKnown = isJsonObject(thinking) && isTypeOf(thinking["type"], target.capabilities.thinking);
  const own = isKnown ? wishOfThinking(thinking, effort) : undefined;
  if (own !== undefined) return { ...own, members: ["thinking", ...members] };
  if (isJsonObject(thinking)) dropped.add("thinking");
  if (effort === undefined) return undefined;
  return { ...effort, isOn: name !== "none", asked: undefined, display: undefined, members };
}

/** Every model is asked in the form that it knows, whichever of these was sent; one of them only some models know. */
function isTypeOf(type: unknown, kind: Capabilities["thinking"]): boolean {
  if (type === "between_tools") return kind === type;
  return type === "enabled" || type === "adaptive" || type === "disabled";
}

function wishOfThinking(thinking: JsonObject, effort?: Effort): Omit<Wish, "members"> {
  const { type, budget_tokens: budget, display } = thinking;
  const told = typeof budget === "number" && Number.isSafeInteger(budget) ? budget : undefined;
  return {
    isOn: type !== "disabled" && type !== "between_tools",
    effort: effort?.effort,
    budget: Math.max(leastBudget, told ?? effort?.budget ?? usualBudget),
    asked: told,
    display: display ?? undefined,
  };
}

function effortNamed(name: string): Effort {
  const effort = name === "none" ? { effort: "low", budget: 0 } : efforts.get(name);
  if (effort === undefined) throw refused("reasoning_effort", unknownEffort);
  return effort;
}

/**
 * Models with a thinking budget refuse to go on with tool results when the turn that called the tools came back
 * without its signed thinking, which many clients do not keep.
 */
function isInUnsignedToolLoop(turns: readonly Turn[]): boolean {
  const [before, last] = turns.slice(-2);
  if (last?.content[0]?.["type"] !== "tool_result") return false;
  const first = before?.content[0]?.["type"];
  return first !== "thinking" && first !== "redacted_thinking";
}
