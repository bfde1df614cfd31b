import type { ServerResponse } from "node:http";
import { answerChat } from "../calls/chat.ts";
import type { ChatHouse } from "../calls/chat-house.ts";
import { sandboxOrders } from "../calls/sandbox-orders.ts";
import { isJsonObject } from "../core/json-object.ts";
import { chatCompletion, chatCompletionChunk } from "./answer-schemas.ts";
import { anthropicMembers, openaiMembers } from "./anthropic-form.ts";
import { documentedChatRequest, readChatRequest } from "./chat-request.ts";
import type { Door, Visit } from "./door.ts";
import { HttpChatClient } from "./http-chat-client.ts";
import { parseJsonObject } from "./parse-json.ts";
import type { Parsed } from "./parse-json.ts";
import type { RunBody } from "./run-door.ts";

/** `POST /v1/chat/completions`: the OpenAI wire, for every chat model of the catalog. */
export function chatCompletionsDoor(house: ChatHouse): Door {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    access: "caller",
    summary: "Chat with any chat model, in OpenAI's format, whole or streamed.",
    answers:
      "An OpenAI chat.completion, or its chunks as server-sent events, with the remaining credits at the end.",
    answerForm: chatCompletion,
    eventForm: chatCompletionChunk,
    body: documentedChatRequest,
    attend: (visit, _request, response) =>
      serveChat(visit, response, { house, ...parseJsonObject(visit.rawBody) }),
  };
}

type Serving = { readonly house: ChatHouse; readonly mayFallBack?: boolean };

/** Answers a chat call whose body was parsed already. */
export async function serveChat(
  visit: Visit<unknown>,
  response: ServerResponse,
  { house, value, raw, mayFallBack = true }: Parsed & Serving,
): Promise<void> {
  const request = readChatRequest(value);
  const client = new HttpChatClient(response, {
    requestId: visit.requestId,
    stalledClientMs: house.stalledClientMs,
  });
  const callId = visit.requestId.replace("req_", "call_");
  const call = { request, raw, stream: request.stream === true };
  const caller = visit.caller();
  const orders = sandboxOrders(visit.headers, caller);
  const ask = { requestId: visit.requestId, callId, caller, call, orders, mayFallBack };
  await answerChat(ask, house, client);
}

/** A chat that came as a run: its inputs are the chat's body, in OpenAI's form or Anthropic's, with the run's model. */
export function chatRunBody(body: RunBody, raw: ReadonlyMap<string, string>): Parsed {
  const inputs = parseJsonObject(Buffer.from(raw.get("inputs") ?? "{}"));
  const given = isJsonObject(inputs.value) ? inputs.value : {};
  const stream = body.stream === true ? { stream: true } : {};
  const written = { ...openaiMembers(given), model: body.model, ...stream };
  const kept = <Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] =>
    [...entries].filter(([name]) => !anthropicMembers.has(name));
  const texts = Object.entries(written).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return {
    value: { ...Object.fromEntries(kept(Object.entries(given))), ...written },
    raw: new Map([...kept(inputs.raw), ...texts]),
  };
}
