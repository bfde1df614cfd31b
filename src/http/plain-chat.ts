import { isJsonObject } from "../core/json-object.ts";

/** The form of most chats: texts by role, and the members that are a number, a flag or a name. */
export type PlainChat = {
  readonly model: string;
  readonly messages: { readonly role: (typeof roles)[number]; readonly content: string }[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly n?: number;
  readonly stream?: boolean;
  readonly user?: string;
};

const roles = ["system", "developer", "user", "assistant"] as const;

/**
 * The value itself if it is a plain chat, of which `chatRequestSchema` makes the same, at many times the cost. Undefined
 * says nothing. To be asked of what `JSON.parse` made.
 */
export function plainChatOf(value: unknown): PlainChat | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const member in value) if (checks.get(member)?.(value[member]) !== true) return undefined;
  return isWhole(value) ? value : undefined;
}

/** To be asked when each member that is there was found plain. */
function isWhole(chat: Readonly<Record<string, unknown>>): chat is PlainChat {
  return chat["model"] !== undefined && chat["messages"] !== undefined;
}

const isTokenLimit = (value: unknown): boolean =>
  isBetween(value, 1, 2_147_483_647) && Number.isInteger(value);

const checks: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ["model", (value: unknown) => typeof value === "string" && value !== ""],
  ["messages", (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isPlainMessage)],
  ["max_tokens", isTokenLimit],
  ["max_completion_tokens", isTokenLimit],
  ["temperature", (value: unknown) => isBetween(value, 0, 2)],
  ["top_p", (value: unknown) => isBetween(value, 0, 1)],
  ["n", (value: unknown) => isBetween(value, 1, 128) && Number.isInteger(value)],
  ["stream", (value: unknown) => typeof value === "boolean"],
  ["user", (value: unknown) => typeof value === "string" && value.length <= 512],
]);

function isPlainMessage(message: unknown): boolean {
  if (!isJsonObject(message) || typeof message["content"] !== "string") return false;
  const { role } = message;
  if (!roles.some((known) => known === role)) return false;
  for (const member in message) if (member !== "role" && member !== "content") return false;
  return true;
}

function isBetween(value: unknown, least: number, most: number): boolean {
  return typeof value === "number" && value >= least && value <= most;
}
