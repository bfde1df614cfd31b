import { Worker } from "node:worker_threads";
import type { ChatCall, ChatMessage, ContentPart, ToolCall } from "../core/chat.ts";
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

/** Members beside the messages that a provider makes tokens of. */
export const promptMembers = ["tools", "functions", "response_format"] as const;

/** What a provider would tokenize of a prompt: texts, also of files, tool calls, and what is told of tools and answers. */
export function promptTexts(call: ChatCall): readonly string[] {
  return [...messageTexts(call), ...promptMembers.map((member) => call.raw.get(member) ?? "")];
}

/** What is said and called in the messages, and files that are text; no other attachments. */
export function messageTexts(call: ChatCall): readonly string[] {
  return call.request.messages.flatMap(textsOf);
}

function textsOf(message: ChatMessage): readonly string[] {
  const { content, refusal, tool_calls: toolCalls } = message;
  const parts = typeof content === "string" ? [content] : (content ?? []).map(textOfPart);
  return [...parts, refusal ?? "", ...(toolCalls ?? []).map(calledText)];
}

/** What some providers make tokens of besides, such as names and the thinking of earlier answers: for holds. */
export function otherTexts(call: ChatCall): readonly string[] {
  return call.request.messages.flatMap(othersOf);
}

/** Counted as text or as attachments, or read by no model. */
const countedMembers: ReadonlySet<string> = new Set([
  "role",
  "content",
  "refusal",
  "tool_calls",
  "tool_call_id",
]);
const countedOfParts: ReadonlySet<string> = new Set([
  "type",
  "text",
  "refusal",
  "url",
  "detail",
  "data",
  "format",
  "file_data",
  "cache_control",
]);

function othersOf(message: ChatMessage): readonly string[] {
  const { content } = message;
  const others = Object.entries(message).filter(([member]) => !countedMembers.has(member));
  const parts = typeof content === "object" && content !== null ? content : [];
  return [...others.map(([, value]) => textIn(value)), ...parts.map(othersOfPart)];
}

function othersOfPart(part: ContentPart): string {
  return textIn(part, (member, value) => (countedOfParts.has(member) ? undefined : value));
}

function textIn(value: unknown, replacer?: (member: string, value: unknown) => unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "", replacer);
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
