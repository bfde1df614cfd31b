import { anthropicChat } from "./anthropic/chat.ts";
import { openaiChat } from "./openai/chat.ts";
import type { ChatWire } from "./wire.ts";

/** Wire name, as provider files give it → the code that speaks it. */
export const chatWires: ReadonlyMap<string, ChatWire> = new Map([
  ["openai-chat", openaiChat],
  ["anthropic-messages", anthropicChat],
]);
