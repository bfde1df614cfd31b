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

/** The thinking blocks of an earlier answer. Foreign, unsigned or unreadable items are left out. */
export function thinkingBlocks(details: ChatMessage["reasoning_details"]): Block[] {
  const blocks: Block[] = [];
  for (const item of joined(details ?? [])) {
    const signature = textOf(item["signature"]);
    const data = textOf(item["data"]);
    if (isOneOf(item, "reasoning.text", "thinking") && signature !== undefined && signature !== "") {
      const thinking = textOf(item["text"]) ?? textOf(item["thinking"]) ?? "";
      blocks.push({ type: "thinking", thinking, signature });
    } else if (isOneOf(item, "reasoning.encrypted", "redacted_thinking") && data !== undefined) {
      blocks.push({ type: "redacted_thinking", data });
    }
  }
  return blocks;
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
