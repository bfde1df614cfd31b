import { scanJsonObject, writeJsonMembers } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { AnswerView } from "../wire.ts";

/** An upstream's answer is trusted to be large, not to be endless. */
export const answerBounds = { maxDepth: 512, maxNodes: 20_000_000 };

/** What providers add beside OpenAI's members and what would tell our cost or source: xAI, Groq, OpenRouter. */
const providerMembers = ["cost_in_usd_ticks", "num_sources_used", "x_groq", "provider", "cost"] as const;

export type Shape = {
  readonly view: AnswerView;
  readonly object: "chat.completion" | "chat.completion.chunk";
  /** In place of the answer's own. */
  readonly choices?: readonly JsonObject[];
};

/** False when the answer may be shown as it came. */
export function needsShaping(answer: JsonObject, { view, object }: Shape): boolean {
  return (
    answer["model"] !== view.model ||
    answer["object"] !== object ||
    (answer["usage"] ?? null) !== null ||
    !isId(answer["id"]) ||
    !Number.isSafeInteger(answer["created"]) ||
    providerMembers.some((member) => answer[member] !== undefined)
  );
}

/**
 * The answer's members for the customer, as JSON text without braces: our model name, no usage, nothing that only the
 * provider knows. All others keep their text and their order. Undefined when a member occurs twice.
 */
export function shapedMembers(
  text: string,
  answer: JsonObject,
  { view, object, choices }: Shape,
): string | undefined {
  const scanned = scanJsonObject(text, answerBounds);
  if (scanned.fault !== undefined) return undefined;
  const { members } = scanned;
  for (const member of providerMembers) members.delete(member);
  if (object === "chat.completion" || members.get("usage") !== "null") members.delete("usage");
  if (!isId(answer["id"])) members.set("id", JSON.stringify(view.id));
  if (answer["object"] !== object) members.set("object", JSON.stringify(object));
  if (!Number.isSafeInteger(answer["created"])) members.set("created", String(view.created));
  if (choices !== undefined) members.set("choices", JSON.stringify(choices));
  members.set("model", JSON.stringify(view.model));
  return writeJsonMembers(members);
}

function isId(id: unknown): boolean {
  return typeof id === "string" && id !== "";
}
