import { isGiven, isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";

const roles = new Set(["developer", "system", "user", "assistant", "tool", "function"]);
const userParts = new Set(["text", "image_url", "input_audio", "file"]);
const otherParts = new Set(["text", "refusal"]);

export function checkMessages(messages: unknown): void {
  if (messages === undefined) {
    throw new Refusal(400, "messages is required.", {
      param: "messages",
      code: "missing_required_parameter",
    });
  }
  if (!Array.isArray(messages) || messages.length === 0) {
    throw badRequest("messages is a list with at least one message.", "messages");
  }
  /** Tool calls of the last assistant message that have no result yet. */
  let open = new Set<string>();
  for (const [at, message] of messages.entries()) {
    const place = `messages.[${at}]`;
    if (!isObject(message)) throw badRequest("A message is an object.", place);
    open = checkMessage(message, place, open);
  }
  if (open.size > 0) throw unanswered(open, "messages");
}

/** Returns the tool calls that are still without a result after this message. */
function checkMessage(message: JsonObject, place: string, open: Set<string>): Set<string> {
  const role = stringOr(message["role"], "");
  if (!roles.has(role)) {
    throw new Refusal(400, `${JSON.stringify(message["role"])} is no role.`, {
      param: `${place}.role`,
      code: "invalid_value",
    });
  }
  if (role === "tool") return answered(message, place, open);
  if (open.size > 0) throw unanswered(open, place);
  const isCalling = role === "assistant" && objectsIn(message["tool_calls"]).length > 0;
  checkContent(message, place, isCalling || role === "function" || isGiven(message["function_call"]));
  return isCalling ? checkCalls(message, place) : new Set();
}

function answered(message: JsonObject, place: string, open: Set<string>): Set<string> {
  const id = stringOr(message["tool_call_id"], "");
  if (!open.has(id)) {
    throw badRequest("A tool message follows the assistant message that called the tool.", `${place}.role`);
  }
  checkContent(message, place, false);
  return new Set([...open].filter((other) => other !== id));
}

function unanswered(open: ReadonlySet<string>, place: string): Refusal {
  return badRequest(`These tool calls have no tool message after them: ${[...open].join(", ")}.`, place);
}

function checkContent(message: JsonObject, place: string, mayBeAbsent: boolean): void {
  const { content } = message;
  const param = `${place}.content`;
  if (typeof content === "string") return;
  if (!isGiven(content)) {
    if (mayBeAbsent || isGiven(message["refusal"]) || isGiven(message["audio"])) return;
    throw new Refusal(400, "content is a string or a list of parts, not null.", {
      param,
      code: "invalid_type",
    });
  }
  if (!Array.isArray(content) || content.length === 0) {
    throw badRequest("content is a string or a list of parts.", param);
  }
  const role = stringOr(message["role"], "");
  for (const [at, part] of content.entries()) checkPart(part, `${param}.[${at}]`, role);
}

function checkPart(part: unknown, place: string, role: string): void {
  const allowed = role === "user" ? userParts : otherParts;
  const type = isObject(part) ? stringOr(part["type"], "") : "";
  if (!isObject(part) || !allowed.has(type)) {
    throw new Refusal(400, `${JSON.stringify(type)} is no part of a ${role} message.`, {
      param: `${place}.type`,
      code: "invalid_value",
    });
  }
  if (type === "text" && typeof part["text"] !== "string")
    throw badRequest("text is a string.", `${place}.text`);
  if (type === "image_url") checkPicture(part, place);
}

function checkPicture({ image_url }: JsonObject, place: string): void {
  const url = isObject(image_url) ? stringOr(image_url["url"], "") : "";
  if (/^(?:https?:\/\/|data:image\/)/i.test(url)) return;
  throw new Refusal(400, "image_url.url is a web address or a data URL of a picture.", {
    param: `${place}.image_url.url`,
    code: "invalid_image_url",
  });
}

function checkCalls(message: JsonObject, place: string): Set<string> {
  const ids = new Set<string>();
  for (const [at, call] of objectsIn(message["tool_calls"]).entries()) {
    const called = call["function"] ?? call["custom"];
    const isWhole = isObject(called) && typeof called["name"] === "string" && typeof call["id"] === "string";
    if (!isWhole)
      throw badRequest("A tool call has an id and a named function.", `${place}.tool_calls.[${at}]`);
    ids.add(stringOr(call["id"], ""));
  }
  return ids;
}
