import type { ChatWire } from "../wire.ts";
import { wholeAnswer } from "./answer.ts";
import { faultOf } from "./fault.ts";
import { messagesRefusal, messagesRequest } from "./request.ts";
import { MessagesStream } from "./stream.ts";

/** Anthropic Messages, version 2023-06-01. https://platform.claude.com/docs/en/api/messages */
export const anthropicChat: ChatWire = {
  refusalOf: messagesRefusal,
  request: messagesRequest,
  whole: wholeAnswer,
  stream: (view) => new MessagesStream(view),
  fault: faultOf,
};
