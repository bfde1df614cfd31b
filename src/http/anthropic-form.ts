import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import { Problem } from "../core/problems.ts";

/** Members that are not OpenAI's: what they say is said by others. */
export const anthropicMembers: ReadonlySet<string> = new Set(["system", "stop_sequences"]);

/**
 * The members of a chat in Anthropic's form as OpenAI has them; none of a chat in OpenAI's form. Known clients send
 * Anthropic's to Claude by `POST /v1/run`. What has neither form stays, for the door to refuse.
 */
export function openaiMembers(body: JsonObject): JsonObject {
  const { system, messages, tools, tool_choice: choice, stop_sequences: stop } = body;
  return {
    ...messagesOf(messages, system ?? undefined),
    ...(Array.isArray(tools) && tools.some(isAnthropicTool) ? { tools: tools.map(toolOf) } : {}),
    ...(isJsonObject(choice) ? choiceOf(choice) : {}),
    ...(stop === undefined ? {} : { stop }),
  };
}

function messagesOf(messages: unknown, system: unknown): JsonObject {
  const instructions = textOf(system);
  if (system !== undefined && instructions === "" && system !== "")
    throw new Problem("invalid_request", {
      param: "inputs.system",
      message: "inputs.system: want a text, or blocks of text",
    });
  if (!Array.isArray(messages)) return {};
  const said: readonly unknown[] = messages.some(hasBlocks) ? messages.flatMap(messageOf) : messages;
  if (instructions !== "") return { messages: [{ role: "system", content: plainest(system) }, ...said] };
  return said === messages ? {} : { messages: said };
}

const blockTypes: readonly unknown[] = ["tool_use", "tool_result", "image"];

function hasBlocks(message: unknown): boolean {
  const content: unknown = isJsonObject(message) ? message["content"] : undefined;
  return (
    Array.isArray(content) &&
    content.some((block) => isJsonObject(block) && blockTypes.includes(block["type"]))
  );
}

/** A text, or the texts of its blocks. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .flatMap((block: unknown) =>
      isJsonObject(block) && typeof block["text"] === "string" ? [block["text"]] : [],
    )
    .join("\n");
}

/** A text where it says all that was sent: pictures, and marks for what a cache keeps, are parts. */
function plainest(content: unknown): unknown {
  const isMore = (block: unknown): boolean =>
    isJsonObject(block) && (block["type"] !== "text" || markOf(block) !== unmarked);
  return Array.isArray(content) && content.some(isMore) ? content.map(partOf) : textOf(content);
}

const unmarked: JsonObject = {};

function markOf({ cache_control: mark }: JsonObject): JsonObject {
  return mark === undefined ? unmarked : { cache_control: mark };
}

function isAnthropicTool(tool: unknown): tool is JsonObject {
  return isJsonObject(tool) && "input_schema" in tool;
}

function toolOf(tool: unknown): unknown {
  if (!isAnthropicTool(tool)) return tool;
  const { name, description, input_schema: parameters } = tool;
  return {
    type: "function",
    function: { name, ...(description === undefined ? {} : { description }), parameters },
    ...markOf(tool),
  };
}

const choices: Readonly<Record<string, string>> = { auto: "auto", any: "required", none: "none" };

function choiceOf({ type, name, disable_parallel_tool_use: isSingle }: JsonObject): JsonObject {
  const parallel = isSingle === true ? { parallel_tool_calls: false } : {};
  if (type === "tool") return { tool_choice: { type: "function", function: { name } }, ...parallel };
  const isKnown = typeof type === "string" && Object.hasOwn(choices, type);
  return isKnown ? { tool_choice: choices[type], ...parallel } : {};
}

/** Results of tools are blocks of a user's message there, and messages of their own here. */
function messageOf(message: unknown): readonly unknown[] {
  if (!isJsonObject(message) || !Array.isArray(message["content"])) return [message];
  const blocks: readonly unknown[] = message["content"];
  const results = blocks.filter((block) => isOfType(block, "tool_result")).map(resultOf);
  const calls = blocks.filter((block) => isOfType(block, "tool_use")).map(callOf);
  const parts = blocks.filter((block) => !isOfType(block, "tool_result") && !isOfType(block, "tool_use"));
  const content = parts.map(partOf);
  if (calls.length > 0)
    return [{ ...message, content: textOf(parts) === "" ? null : textOf(parts), tool_calls: calls }];
  if (results.length > 0 && content.length === 0) return results;
  return [...results, { ...message, content }];
}

function isOfType(block: unknown, type: string): block is JsonObject {
  return isJsonObject(block) && block["type"] === type;
}

function resultOf(block: unknown): unknown {
  if (!isJsonObject(block)) return block;
  return {
    role: "tool",
    tool_call_id: block["tool_use_id"],
    content: plainest(block["content"]),
    ...markOf(block),
  };
}

function callOf(block: unknown): unknown {
  if (!isJsonObject(block)) return block;
  const { id, name, input } = block;
  return { id, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function partOf(block: unknown): unknown {
  if (!isJsonObject(block) || block["type"] !== "image" || !isJsonObject(block["source"])) return block;
  const { type, media_type: mime, data, url } = block["source"];
  const address = type === "base64" ? `data:${String(mime)};base64,${String(data)}` : url;
  return { type: "image_url", image_url: { url: address }, ...markOf(block) };
}
