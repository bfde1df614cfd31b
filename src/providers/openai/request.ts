import type { ChatCall, ChatRequest } from "../../core/chat.ts";
import { isJsonObject, parseJson, scanJsonObject, writeJsonObject } from "../../core/json-object.ts";
import { hasNoEffect } from "../no-effect.ts";
import type { Target, WireRequest } from "../wire.ts";
import { withUsualCaches } from "./cache-marks.ts";
import { withoutForeignMembers, withoutMarksOfTools } from "./message-members.ts";
import { isAccepted } from "./request-members.ts";
import { takenParts } from "./taken-parts.ts";
import { limitThinking } from "./thinking-budget.ts";
import { showBehindResults } from "./tool-pictures.ts";

/** What models that reason refuse; https://platform.openai.com/docs/guides/reasoning */
const samplingMembers: ReadonlySet<string> = new Set(
  ["temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty"].concat([
    "logprobs",
    "top_logprobs",
    "logit_bias",
  ]),
);
/** Frozen, so that they are checked once and not with every request. */
const wholeHeaders = Object.freeze({ "content-type": "application/json", accept: "application/json" });
const streamHeaders = Object.freeze({ "content-type": "application/json", accept: "text/event-stream" });
const streamOptionsBounds = { maxDepth: 16, maxNodes: 1_000 };

/**
 * The customer's request for an OpenAI-compatible provider. Built from the members' texts as sent, so that nothing in
 * them is rounded or lost; only the top level is ours.
 */
export function openaiRequest(call: ChatCall, target: Target): WireRequest {
  const { body, dropped } = membersFor(call, target);
  body.set("model", JSON.stringify(target.upstreamModel));
  body.set(target.maxTokensField, String(call.maxTokens));
  const changed = limitThinking(body, call, target) ? ["thinking_budget"] : [];
  if (showBehindResults(body, call.request)) changed.push("messages[].content");
  if (target.quirks.strictMessages) dropped.push(...leaveOutForeignMembers(body));
  if (leaveOutLongCaches(body)) dropped.push("cache_control.ttl");
  if (target.quirks.noDeveloperRole) replaceDeveloperRole(body);
  if (!target.capabilities.forcedTools && freeToolChoice(body, call.request.tool_choice))
    changed.push("tool_choice");
  askForStream(body, call, target);
  return {
    path: "/chat/completions",
    headers: call.stream ? streamHeaders : wholeHeaders,
    body: writeJsonObject(body),
    dropped,
    ...(changed.length > 0 ? { changed } : {}),
  };
}

/**
 * Sends a choice that makes the model call a tool as a free one; true when there was such a choice.
 * https://openrouter.ai/docs/cookbook/evaluate-and-optimize/model-migrations/opus-5-5
 */
function freeToolChoice(body: Map<string, string>, choice: ChatRequest["tool_choice"]): boolean {
  if (!body.has("tool_choice") || choice === undefined || choice === null) return false;
  if (typeof choice === "string" && choice !== "required") return false;
  let free: unknown = "auto";
  if (typeof choice === "object" && "allowed_tools" in choice && isJsonObject(choice["allowed_tools"])) {
    if (choice["allowed_tools"]["mode"] !== "required") return false;
    free = { ...choice, allowed_tools: { ...choice["allowed_tools"], mode: "auto" } };
  }
  body.set("tool_choice", JSON.stringify(free));
  return true;
}

/** The members in their order: those that are sent, and the names of those that are missed. */
function membersFor(call: ChatCall, target: Target) {
  const body = new Map<string, string>();
  const dropped: string[] = [];
  for (const [member, text] of call.raw) {
    if (member === "stream_options") continue;
    const parts = takenParts(member, call.request, target);
    if (parts !== undefined) {
      if (parts.text !== undefined) body.set(member, parts.text);
      dropped.push(...parts.missed);
      continue;
    }
    if (member === "max_tokens" || member === "max_completion_tokens") {
      body.set(target.maxTokensField, String(call.maxTokens));
    } else if (isTaken(member, target)) body.set(member, text);
    else if (!hasNoEffect(member, call.request[member])) dropped.push(member);
  }
  return { body, dropped };
}

function isTaken(member: string, target: Target): boolean {
  if (member === "model" || member === "messages" || member === "stream") return true;
  if (samplingMembers.has(member) && !target.capabilities.sampling) return false;
  if (member === "reasoning_effort" && !target.capabilities.reasoning) return false;
  return isAccepted(member, target);
}

function askForStream(body: Map<string, string>, call: ChatCall, target: Target): void {
  if (call.stream || body.has("stream")) body.set("stream", String(call.stream));
  if (call.stream && isAccepted("stream_options", target))
    body.set("stream_options", streamOptions(call.raw.get("stream_options")));
}

/** Usage is always asked for: without it the call would be charged by a count of ours. */
function streamOptions(sent: string | undefined): string {
  const scanned = scanJsonObject(sent ?? "{}", streamOptionsBounds);
  const options = scanned.fault === undefined ? scanned.members : new Map<string, string>();
  return writeJsonObject(options.set("include_usage", "true"));
}

/** Returns the places of what is missed. */
function leaveOutForeignMembers(body: Map<string, string>): readonly string[] {
  const messages = withoutForeignMembers(body.get("messages") ?? "");
  if (body.has("messages")) body.set("messages", messages.text);
  const sent = body.get("tools");
  if (sent === undefined) return messages.missed;
  const tools = withoutMarksOfTools(sent);
  body.set("tools", tools.text);
  return [...messages.missed, ...tools.missed];
}

/** True when there was one. */
function leaveOutLongCaches(body: Map<string, string>): boolean {
  let isLeftOut = false;
  for (const member of ["messages", "tools"]) {
    const text = withUsualCaches(body.get(member) ?? "");
    if (text === undefined) continue;
    body.set(member, text);
    isLeftOut = true;
  }
  return isLeftOut;
}

/** Writes the messages anew, but only when one of them is a `developer` message. */
function replaceDeveloperRole(body: Map<string, string>): void {
  const sent = body.get("messages") ?? "";
  if (!sent.includes("developer") && !sent.includes("\\u")) return;
  const messages = parseJson(sent);
  if (!Array.isArray(messages) || !messages.some(isDeveloperMessage)) return;
  const replaced = messages.map((message: unknown) => {
    return isDeveloperMessage(message) ? { ...message, role: "system" } : message;
  });
  body.set("messages", JSON.stringify(replaced));
}

function isDeveloperMessage(message: unknown): message is { readonly role: "developer" } {
  return isJsonObject(message) && message["role"] === "developer";
}
