import { answerChat } from "../calls/chat.ts";
import type { ChatHouse } from "../calls/chat-house.ts";
import { chatRequestSchema, readChatRequest } from "./chat-request.ts";
import type { Door } from "./door.ts";
import { HttpChatClient } from "./http-chat-client.ts";
import { parseJsonObject } from "./parse-json.ts";

/** `POST /v1/chat/completions`: the OpenAI wire, for every chat model of the catalog. */
export function chatCompletionsDoor(house: ChatHouse): Door {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    access: "caller",
    summary: "Chat with any chat model, in OpenAI's format, whole or streamed.",
    answers:
      "An OpenAI chat.completion, or its chunks as server-sent events, with the remaining credits at the end.",
    body: chatRequestSchema,
    async attend(visit, _request, response) {
      const { value, raw } = parseJsonObject(visit.rawBody);
      const request = readChatRequest(value);
      const client = new HttpChatClient(response, {
        requestId: visit.requestId,
        stalledClientMs: house.stalledClientMs,
      });
      const callId = visit.requestId.replace("req_", "call_");
      const call = { request, raw, stream: request.stream === true };
      await answerChat({ requestId: visit.requestId, callId, caller: visit.caller(), call }, house, client);
    },
  };
}
