import type { ChatCall, ChatMessage, ChatRequest } from "../../core/chat.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Capabilities } from "../../core/model.ts";
import { Problem } from "../../core/problems.ts";
import type { Target } from "../wire.ts";
import { anthropicChat } from "./chat.ts";

/* What the tests of this folder share: a model that can do everything in the older way, and calls for it. */

const everything: Capabilities = {
  tools: true,
  forcedTools: true,
  vision: true,
  audio: true,
  pdf: true,
  reasoning: true,
  structuredOutput: true,
  sampling: true,
  refuses: [],
  thinking: "budget",
};

export function targetWith(capabilities: Partial<Capabilities> = {}, more: Partial<Target> = {}): Target {
  return {
    upstreamModel: "claude-upstream",
    maxTokensField: "max_tokens",
    maxOutput: 64_000,
    accepts: undefined,
    extraParameters: new Set(),
    capabilities: { ...everything, ...capabilities },
    quirks: { noDeveloperRole: false, reasoningOutsideCompletion: false, strictMessages: false },
    ...more,
  };
}

export const hello: readonly ChatMessage[] = [{ role: "user", content: "Hello" }];

type Members = Partial<ChatRequest>;

export function callOf(members: Members, stream = false): ChatCall {
  const request: ChatRequest = { model: "claude-asked", messages: hello, ...members };
  const raw = new Map(Object.entries(request).map(([name, value]) => [name, JSON.stringify(value)]));
  return { request, raw, stream, maxTokens: request.max_tokens ?? 4096 };
}

export type Sent = {
  readonly body: JsonObject;
  readonly text: string;
  readonly dropped: readonly string[];
  readonly changed: readonly string[];
};

/** What goes upstream for a request with these members. */
export function sent(members: Members, target = targetWith()): Sent {
  const { body: text, dropped, changed = [] } = anthropicChat.request(callOf(members), target);
  const body: unknown = JSON.parse(text);
  if (!isJsonObject(body)) throw new TypeError("the body is no object");
  return { body, text, dropped, changed };
}

/** The member that a refusal names; "" when the request was translated. */
export function refusedParam(members: Members, target = targetWith()): string {
  try {
    sent(members, target);
  } catch (error) {
    if (error instanceof Problem && error.code === "invalid_request") return error.param ?? "no param";
    throw error;
  }
  return "";
}

/** A stream of these events as Anthropic writes it. */
export function eventStream(events: readonly JsonObject[]): string {
  return events
    .map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}
