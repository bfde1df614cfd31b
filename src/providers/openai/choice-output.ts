import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

/**
 * All that a model produced in one message or delta, as text: content, reasoning, refusal, names and arguments of tool
 * calls, transcripts. "" when there is none.
 */
export function outputOf(message: unknown): string {
  if (!isJsonObject(message)) return "";
  let output = contentText(message["reasoning_content"] ?? message["reasoning"]);
  output += contentText(message["content"]) + contentText(message["refusal"]);
  if (Array.isArray(message["tool_calls"])) {
    for (const call of message["tool_calls"]) output += calledText(call);
  }
  output += functionText(message["function_call"]);
  const audio = message["audio"];
  return isJsonObject(audio) ? output + contentText(audio["transcript"]) : output;
}

/** True also for output that is no text: audio data, or a tool call without a name so far. */
export function hasOutput(message: unknown): boolean {
  if (!isJsonObject(message)) return false;
  if (outputOf(message) !== "") return true;
  const calls = message["tool_calls"];
  return (Array.isArray(calls) && calls.length > 0) || isAudio(message["audio"]);
}

function isAudio(audio: unknown): boolean {
  return isJsonObject(audio) && typeof audio["data"] === "string" && audio["data"] !== "";
}

/** A string, or an array of parts. Mistral nests thinking parts: https://docs.mistral.ai/capabilities/reasoning */
function contentText(content: unknown, depth = 0): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content) || depth > 3) return "";
  let text = "";
  for (const part of content) {
    if (isJsonObject(part))
      text += contentText(part["text"], depth + 1) + contentText(part["thinking"], depth + 1);
  }
  return text;
}

function calledText(call: unknown): string {
  if (!isJsonObject(call)) return "";
  const custom = call["custom"];
  const customText = isJsonObject(custom) ? contentText(custom["name"]) + contentText(custom["input"]) : "";
  return functionText(call["function"]) + customText;
}

function functionText(called: unknown): string {
  return isJsonObject(called) ? plain(called, "name") + plain(called, "arguments") : "";
}

function plain(holder: JsonObject, member: string): string {
  const value = holder[member];
  return typeof value === "string" ? value : "";
}
