import type { ChatMessage } from "../../core/chat.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Block } from "./conversion.ts";
import { textOf } from "./exact-json.ts";

/**
 * Thinking as OpenAI clients carry it: `reasoning_details` in the shape OpenRouter made common. Signed thinking must
 * come back unchanged, so every item holds a whole block.
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
const format = "anthropic-claude-v1";

export function signedThinking(index: number, text: string, signature: string): JsonObject {
  return { type: "reasoning.text", text, signature, format, index };
}

export function redactedThinking(index: number, data: string): JsonObject {
  return { type: "reasoning.encrypted", data, format, index };
}

/** A thinking block of an earlier answer, and how many blocks of text and calls stood before it. */
export type Thought = { readonly block: Block; readonly before: number };

/**
 * The thinking blocks of an earlier answer. Foreign, unsigned or unreadable items are left out. Indices that count only
 * the items themselves, as other gateways have them, or that are in no order, tell of nothing before them.
 */
export function thoughtsOf(details: ChatMessage["reasoning_details"]): readonly Thought[] {
  const thoughts: Thought[] = [];
  for (const [place, item] of joined(details ?? []).entries()) {
    const block = thinkingBlock(item);
    if (block !== undefined) thoughts.push({ block, before: Number(item["index"] ?? 0) - place });
  }
  const isOrdered = thoughts.every(
    ({ before }, at) => Number.isInteger(before) && before >= (thoughts[at - 1]?.before ?? 0),
  );
  return isOrdered ? thoughts : thoughts.map(({ block }) => ({ block, before: 0 }));
}

function thinkingBlock(item: JsonObject): Block | undefined {
  const signature = textOf(item["signature"]);
  const data = textOf(item["data"]);
  if (isOneOf(item, "reasoning.text", "thinking") && signature !== undefined && signature !== "") {
    return { type: "thinking", thinking: textOf(item["text"]) ?? textOf(item["thinking"]) ?? "", signature };
  }
  const isRedacted = isOneOf(item, "reasoning.encrypted", "redacted_thinking") && data !== undefined;
  return isRedacted ? { type: "redacted_thinking", data } : undefined;
}

function isOneOf(item: JsonObject, ...types: readonly string[]): boolean {
  const origin = textOf(item["format"]);
  if (origin !== undefined && !origin.startsWith("anthropic")) return false;
  return types.includes(textOf(item["type"]) ?? "");
}

/** Clients may keep streamed pieces apart: items that follow each other with the same index are one block. */
function joined(details: readonly JsonObject[]): readonly JsonObject[] {
  const items: JsonObject[] = [];
  for (const item of details) {
    const last = items.at(-1);
    if (last !== undefined && isOneOf(item, "reasoning.text") && belongsTogether(last, item)) {
      const text = (textOf(last["text"]) ?? "") + (textOf(item["text"]) ?? "");
      items[items.length - 1] = { ...last, ...item, text, signature: item["signature"] ?? last["signature"] };
    } else {
      items.push(item);
    }
  }
  return items;
}

function belongsTogether(last: JsonObject, item: JsonObject): boolean {
  return (
    typeof item["index"] === "number" && item["index"] === last["index"] && item["type"] === last["type"]
  );
}
