import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

/**
 * Gemini's words for an answer that its filters ended, in its own language; in OpenAI's it writes
 * `content_filter: PROHIBITED_CONTENT`. https://ai.google.dev/api/generate-content#FinishReason
 */
const geminiFilters: ReadonlySet<string> = new Set([
  "SAFETY",
  "RECITATION",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
]);

function isFilter(reason: unknown): boolean {
  return typeof reason === "string" && (reason.startsWith("content_filter") || geminiFilters.has(reason));
}

/**
 * The choices with `content_filter`, which OpenAI's clients know, and with a message also where nothing of one is shown: a
 * prompt that is blocked is answered with a choice that has none. Undefined: they are that way already.
 */
export function plainlyFiltered(
  choices: readonly JsonObject[],
  member: "message" | "delta",
): readonly JsonObject[] | undefined {
  const isStrange = (choice: JsonObject): boolean =>
    isFilter(choice["finish_reason"]) &&
    (choice["finish_reason"] !== "content_filter" || !isJsonObject(choice[member]));
  if (!choices.some(isStrange)) return undefined;
  return choices.map((choice) => {
    if (!isStrange(choice)) return choice;
    const silence = member === "delta" ? {} : { role: "assistant", content: null, refusal: null };
    const told = isJsonObject(choice[member]) ? choice[member] : silence;
    return { index: 0, ...choice, [member]: told, finish_reason: "content_filter" };
  });
}

export function isFinished(choice: JsonObject): boolean {
  return typeof choice["finish_reason"] === "string" && choice["finish_reason"] !== "";
}

/**
 * With null for a finish reason that is empty, as SGLang tells that there is none so far
 * (https://github.com/sgl-project/sglang/issues/3912); undefined when there is none to right.
 */
export function withoutEmptyFinish(choices: readonly JsonObject[]): readonly JsonObject[] | undefined {
  if (!choices.some(hasEmptyFinish)) return undefined;
  return choices.map((choice) => (hasEmptyFinish(choice) ? { ...choice, finish_reason: null } : choice));
}

function hasEmptyFinish(choice: JsonObject): boolean {
  return choice["finish_reason"] === "";
}
