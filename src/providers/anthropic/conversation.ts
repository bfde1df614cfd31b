import type { ChatMessage, ToolCall } from "../../core/chat.ts";
import { scanJsonObject } from "../../core/json-object.ts";
import { textBlock, textBlocks, userBlocks } from "./content.ts";
import { cacheMark, refused } from "./conversion.ts";
import type { Block, Conversion } from "./conversion.ts";
import { parseObject } from "./exact-json.ts";
import { thoughtsOf } from "./reasoning-details.ts";
import type { Thought } from "./reasoning-details.ts";
import { Turns } from "./turns.ts";
import type { CallOfTurn, PartOfTurn, Turn } from "./turns.ts";

export type Conversation = { readonly system: readonly Block[]; readonly turns: readonly Turn[] };

/** `messages` as Anthropic's `system` and `messages`. */
export function conversationOf(conversion: Conversion): Conversation {
  const { messages } = conversion.request;
  const turns = new Turns();
  const system: Block[] = [];
  let isLeading = true;
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    isLeading &&= isInstruction(message);
    if (isLeading) system.push(...textBlocks(message.content, `${path}.content`, conversion));
    else addMessage(turns, message, { path, conversion });
  }
  return withSomethingToAnswer(system, turns.finish());
}

/** OpenAI answers a conversation of instructions only; Anthropic needs a turn. */
function withSomethingToAnswer(system: readonly Block[], turns: readonly Turn[]): Conversation {
  if (turns.length > 0) return { system, turns };
  if (system.length === 0) throw refused("messages", "There is no text in these messages.");
  return { system: [], turns: [{ role: "user", content: system }] };
}

function isInstruction(message: ChatMessage): boolean {
  return message.role === "system" || message.role === "developer";
}

type Place = { readonly path: string; readonly conversion: Conversion };

function addMessage(turns: Turns, message: ChatMessage, { path, conversion }: Place): void {
  const contentPath = `${path}.content`;
  switch (message.role) {
    case "system":
    case "developer":
      turns.user(textBlocks(message.content, contentPath, conversion).map(asInstruction));
      return;
    case "user":
      turns.user(userBlocks(message.content, contentPath, conversion));
      return;
    case "assistant":
      turns.assistant(assistantParts(message, { path, conversion }), thoughtsFor(message, conversion));
      return;
    case "tool":
      turns.result(message.tool_call_id, toolResult(message, contentPath, conversion), path);
      return;
    case "function":
      throw refused(`${path}.role`, "This model takes `tool` messages in place of `function` messages.");
  }
}

/**
 * Not hoisted to `system`: that would change what the instruction is about, and the prefix that caches keep. Only some
 * models take a `system` turn within the conversation, so it is a marked part of the user's turn.
 */
function asInstruction(block: Block): Block {
  return { ...block, text: `<system_instructions>\n${String(block["text"])}\n</system_instructions>` };
}

function assistantParts(message: ChatMessage, { path, conversion }: Place): readonly PartOfTurn[] {
  const texts = [
    ...textBlocks(message.content, `${path}.content`, conversion),
    ...textBlock(message.refusal ?? ""),
  ];
  const calls = message.tool_calls ?? [];
  return [
    ...texts.map((block) => ({ block })),
    ...calls.map((call, index) => callOfTurn(call, `${path}.tool_calls[${index}]`)),
  ];
}

function thoughtsFor(message: ChatMessage, { target }: Conversion): readonly Thought[] {
  return target.capabilities.thinking === "none" ? [] : thoughtsOf(message.reasoning_details);
}

/** What is nested much deeper cannot be written again. */
const argumentBounds = { maxDepth: 512, maxNodes: Infinity };

function callOfTurn(call: ToolCall, param: string): CallOfTurn {
  if (call.type !== "function") throw refused(`${param}.type`, "This model takes calls of functions only.");
  const { function: called } = call;
  const text = called.arguments.trim();
  if (scanJsonObject(text, argumentBounds).fault === "too_deep")
    throw refused(`${param}.function.arguments`, "The arguments of a tool call are nested too deep.");
  const input = text === "" ? {} : parseObject(text);
  if (input === undefined) {
    throw refused(
      `${param}.function.arguments`,
      "The arguments of a tool call are the text of a JSON object.",
    );
  }
  return { id: call.id, param, block: { name: called.name, input } };
}

/**
 * A mark within the content of a result is refused; on the result it says the same.
 * https://github.com/caozhiyuan/copilot-api/issues/241
 */
function toolResult(message: ChatMessage, path: string, conversion: Conversion): Block {
  const mark = cacheMark(message, conversion.dropped);
  if (typeof message.content === "string") return { content: message.content, ...mark };
  const content: Block[] = [];
  let marks: Block = {};
  for (const { cache_control: inner, ...block } of userBlocks(message.content, path, conversion)) {
    if (inner !== undefined) marks = { cache_control: inner };
    content.push(block);
  }
  return { content, ...marks, ...mark };
}
