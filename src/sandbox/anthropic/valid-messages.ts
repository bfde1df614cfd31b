import { isGiven, isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import type { Generation } from "./versions.ts";

const userBlocks = new Set(["text", "image", "document", "tool_result", "search_result"]);
const assistantBlocks = new Set(["text", "tool_use", "thinking", "redacted_thinking"]);
const toolId = /^[\w-]+$/;
const pictures = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

export function checkMessages(messages: unknown, generation: Generation): void {
  if (!Array.isArray(messages) || messages.length === 0)
    throw badRequest("messages: at least one message is required");
  /** Tools that the turn before called; each needs its result in this one. */
  let called: ReadonlySet<string> = new Set();
  for (const [at, message] of messages.entries()) {
    if (!isObject(message)) throw badRequest(`messages.${at}: an object`);
    checkMessage(message, `messages.${at}`, at === messages.length - 1);
    if (at === 0 && message["role"] !== "user") throw badRequest("messages: the first message is the user's");
    checkResults(message, `messages.${at}`, called);
    called = callsIn(message);
  }
  if (called.size > 0) throw unanswered(`messages.${messages.length - 1}`, called);
  const last: unknown = messages.at(-1);
  if (isObject(last) && last["role"] === "assistant") checkPrefill(last["content"], generation);
}

function checkPrefill(content: unknown, { rejectsPrefill }: Generation): void {
  if (rejectsPrefill) {
    throw badRequest(
      "messages: this model does not continue an assistant message; the last one is the user's.",
    );
  }
  const text = typeof content === "string" ? content : objectsIn(content).at(-1)?.["text"];
  if (typeof text === "string" && text !== text.trimEnd())
    throw badRequest("messages: the end of the last assistant message is not white space");
}

function checkMessage(message: JsonObject, place: string, isLast: boolean): void {
  const { role, content } = message;
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw badRequest(`${place}.role: ${JSON.stringify(role)} is not user, assistant or system`);
  }
  const mayBeEmpty = isLast && role === "assistant";
  if (typeof content === "string") {
    if (content.trim() === "" && !mayBeEmpty) throw badRequest(`${place}: text is not empty`);
    return;
  }
  if (!Array.isArray(content)) throw badRequest(`${place}.content: a string or a list of blocks`);
  if (content.length === 0 && !mayBeEmpty) throw badRequest(`${place}: content is not empty`);
  checkBlocks(content, place, role);
}

function checkBlocks(blocks: readonly unknown[], place: string, role: string): void {
  const allowed = role === "assistant" ? assistantBlocks : userBlocks;
  for (const [at, block] of blocks.entries()) {
    const type = isObject(block) ? stringOr(block["type"], "") : "";
    if (!isObject(block) || !allowed.has(type)) {
      throw badRequest(`${place}.content.${at}: ${JSON.stringify(type)} is no block of a message by ${role}`);
    }
    blockChecks[type]?.(block, `${place}.content.${at}`);
  }
}

export function checkTextBlock(block: JsonObject, place: string): void {
  const { text } = block;
  if (typeof text !== "string") throw badRequest(`${place}.text: a string`);
  if (text.trim() === "") throw badRequest(`${place}: text is not empty`);
}

const blockChecks: Readonly<Record<string, (block: JsonObject, place: string) => void>> = {
  text: checkTextBlock,
  image: checkPicture,
  tool_use(block, place) {
    if (!toolId.test(stringOr(block["id"], "")))
      throw badRequest(`${place}.id: letters, digits, _ and - only`);
    if (stringOr(block["name"], "") === "") throw badRequest(`${place}.name: required`);
    if (!isObject(block["input"])) throw badRequest(`${place}.input: an object`);
  },
  tool_result(block, place) {
    if (!toolId.test(stringOr(block["tool_use_id"], ""))) throw badRequest(`${place}.tool_use_id: required`);
    const { content } = block;
    if (!isGiven(content) || typeof content === "string") return;
    if (!Array.isArray(content)) throw badRequest(`${place}.content: a string or a list of blocks`);
    for (const [at, inner] of objectsIn(content).entries()) {
      if (inner["type"] === "text") checkTextBlock(inner, `${place}.content.${at}`);
    }
  },
  thinking(block, place) {
    if (stringOr(block["signature"], "") === "") throw badRequest(`${place}.signature: required`);
    if (typeof block["thinking"] !== "string") throw badRequest(`${place}.thinking: required`);
  },
};

function checkPicture({ source }: JsonObject, place: string): void {
  if (!isObject(source)) throw badRequest(`${place}.source: required`);
  const { type, url, data, media_type: mediaType } = source;
  if (type === "url" && /^https?:\/\//.test(stringOr(url, ""))) return;
  if (type === "file" && typeof source["file_id"] === "string") return;
  if (type !== "base64") throw badRequest(`${place}.source: base64, url or file`);
  if (!pictures.has(stringOr(mediaType, "")))
    throw badRequest(`${place}.source.media_type: jpeg, png, gif or webp`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(stringOr(data, ""))) throw badRequest(`${place}.source.data: base64`);
}

function callsIn({ role, content }: JsonObject): ReadonlySet<string> {
  if (role !== "assistant") return new Set();
  const calls = objectsIn(content).filter(({ type }) => type === "tool_use");
  return new Set(calls.map((call) => stringOr(call["id"], "")));
}

function checkResults({ content }: JsonObject, place: string, called: ReadonlySet<string>): void {
  const results = objectsIn(content).filter(({ type }) => type === "tool_result");
  const open = new Set(called);
  const [first] = objectsIn(content);
  // platform.claude.com/docs, handling tool calls: text goes behind the results.
  if (results.length > 0 && first?.["type"] !== "tool_result")
    throw badRequest(`${place}: the tool_result blocks come first, other blocks behind them`);
  for (const result of results) {
    const id = stringOr(result["tool_use_id"], "");
    if (!open.delete(id)) {
      throw badRequest(
        `${place}: the tool_result for ${id} has no tool_use in the message before it, or is a second one`,
      );
    }
  }
  if (open.size > 0) throw unanswered(place, open);
}

function unanswered(place: string, open: ReadonlySet<string>): Error {
  return badRequest(
    `${place}: these tool_use blocks have no tool_result right after them: ${[...open].join(", ")}`,
  );
}
