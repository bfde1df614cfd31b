import type { ChatRequest } from "../../core/chat.ts";
import { isJsonObject, parseJson } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

const heading = { type: "text", text: "From the results of the tools:" };
/** A result says something, also where all of it was moved. */
const moved = "Follows.";

const movable: ReadonlySet<unknown> = new Set(["image_url", "input_audio", "file"]);

/**
 * On OpenAI's wire only users show pictures and files: in the result of a tool, where Claude takes them, they are refused.
 * Then they are shown right behind the results of that turn. Returns whether there were any.
 * https://github.com/OpenHands/OpenHands/issues/7700 https://github.com/dreadnode/rigging/issues/41
 */
export function showBehindResults(body: Map<string, string>, { messages }: ChatRequest): boolean {
  if (!messages.some((message) => message.role === "tool" && hasMovable(message.content))) return false;
  const sent = parseJson(body.get("messages") ?? "");
  body.set("messages", JSON.stringify(shownBehind(Array.isArray(sent) ? sent.filter(isJsonObject) : [])));
  return true;
}

function hasMovable(content: unknown): boolean {
  return Array.isArray(content) && content.some(isMovable);
}

function isMovable(part: unknown): boolean {
  return isJsonObject(part) && movable.has(part["type"]);
}

function shownBehind(messages: readonly JsonObject[]): readonly JsonObject[] {
  const said: JsonObject[] = [];
  let shown: unknown[] = [];
  const show = (): void => {
    if (shown.length > 0) said.push({ role: "user", content: [heading, ...shown] });
    shown = [];
  };
  for (const message of messages) {
    if (message["role"] !== "tool") show();
    const { content } = message;
    if (message["role"] !== "tool" || !Array.isArray(content) || !content.some(isMovable)) {
      said.push(message);
      continue;
    }
    const left = content.filter((part) => !isMovable(part));
    shown.push(...content.filter(isMovable));
    said.push({ ...message, content: left.length > 0 ? left : moved });
  }
  show();
  return said;
}
