import { Worker } from "node:worker_threads";
import type { ChatCall, ChatMessage, ToolCall } from "../core/chat.ts";
import { textOfPart } from "./attachments.ts";

/** Counts tokens when no provider told: in a worker that starts with the first count. */
export type TokenCounter = {
  count(texts: readonly string[]): Promise<number>;
  stop(): Promise<void>;
};

/** Above this the count is taken from the length: a number that is a little off is better than a busy worker. */
const mostCharacters = 4 * 1024 * 1024;
const charactersPerToken = 4;

type Waiting = { readonly characters: number; readonly resolve: (tokens: number) => void };

function tokensByLength(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

export function tokenCounter(): TokenCounter {
  let worker: Worker | undefined;
  let lastId = 0;
  const waiting = new Map<number, Waiting>();
  const started = (): Worker => {
    if (worker !== undefined) return worker;
    worker = new Worker(new URL("./token-worker.ts", import.meta.url));
    worker.unref();
    worker.on("message", ({ id, tokens }: { id: number; tokens: number }) => {
      waiting.get(id)?.resolve(tokens);
      waiting.delete(id);
    });
    // A counter that fails must not take the calls that wait for it along, nor the process.
    worker.on("error", () => {
      worker = undefined;
      for (const { characters, resolve } of waiting.values()) resolve(tokensByLength(characters));
      waiting.clear();
    });
    return worker;
  };
  return {
    count(texts) {
      const characters = texts.reduce((sum, text) => sum + text.length, 0);
      if (characters === 0) return Promise.resolve(0);
      if (characters > mostCharacters) return Promise.resolve(tokensByLength(characters));
      return new Promise((resolve) => {
        lastId += 1;
        waiting.set(lastId, { characters, resolve });
        started().postMessage({ id: lastId, texts });
      });
    },
    async stop() {
      await worker?.terminate();
    },
  };
}

/** What a provider would tokenize of a prompt: texts, also of files, tool calls and tool definitions. */
export function promptTexts(call: ChatCall): readonly string[] {
  return [...messageTexts(call), call.raw.get("tools") ?? ""];
}

/** What is said and called in the messages, and files that are text; no other attachments. */
export function messageTexts(call: ChatCall): readonly string[] {
  return call.request.messages.flatMap(textsOf);
}

function textsOf(message: ChatMessage): readonly string[] {
  const { content, tool_calls: toolCalls } = message;
  const parts = typeof content === "string" ? [content] : (content ?? []).map(textOfPart);
  return [...parts, ...(toolCalls ?? []).map(calledText)];
}

function calledText(call: ToolCall): string {
  return call.type === "custom"
    ? call.custom.name + call.custom.input
    : call.function.name + call.function.arguments;
}

/** Tokens of the chat template around the counted texts. */
export function templateTokens(call: ChatCall): number {
  return 3 + 4 * call.request.messages.length;
}
