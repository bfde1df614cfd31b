import { isJsonObject, parseJson } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { hasNoEffect } from "../no-effect.ts";

/**
 * What clients have in `messages` for other providers, or because answers had it: marks for Claude's cache, thinking,
 * Gemini's signatures (https://ai.google.dev/gemini-api/docs/thought-signatures), the place of a call in its stream.
 * OpenAI's reference has none of it (https://platform.openai.com/docs/api-reference/chat/create), and what is not there may
 * be refused: https://github.com/songquanpeng/one-api/issues/1319
 */
const ofMessage = ["cache_control", "extra_content", "reasoning", "reasoning_content", "reasoning_details"];
const ofPart = ["cache_control"];
const ofCall = ["extra_content", "index"];

/** Within a string each quote is escaped, so that no content looks like a member. */
const some = /"(?:cache_control|extra_content|index|reasoning(?:_content|_details)?)"\s*:/;
/** A name with escapes. To look for it at each quote costs as much again, and hardly any text has the start of one. */
const escaped = /"\w{0,16}\\u00[5-7][^"]{0,100}"\s*:/;
const escapeBegins = "\\u00";

/** True of every text that has such a member, and of few others. */
function mayHaveSome(text: string): boolean {
  return some.test(text) || (text.includes(escapeBegins) && escaped.test(text));
}

/** The text of `messages` without them, and what was there to be missed. The text as it came where there is none. */
export function withoutForeignMembers(text: string): {
  readonly text: string;
  readonly missed: readonly string[];
} {
  if (!mayHaveSome(text)) return { text, missed: [] };
  const messages = parseJson(text);
  const found = new Map<string, boolean>();
  for (const message of objectsIn(messages)) {
    take(message, ofMessage, { place: "messages[]", found });
    for (const part of objectsIn(message["content"]))
      take(part, ofPart, { place: "messages[].content[]", found });
    for (const call of objectsIn(message["tool_calls"]))
      take(call, ofCall, { place: "messages[].tool_calls[]", found });
  }
  return left({ text, list: messages, found });
}

/** The same of `tools`. */
export function withoutMarksOfTools(text: string): {
  readonly text: string;
  readonly missed: readonly string[];
} {
  if (!mayHaveSome(text)) return { text, missed: [] };
  const tools = parseJson(text);
  const found = new Map<string, boolean>();
  for (const tool of objectsIn(tools)) {
    take(tool, ofPart, { place: "tools[]", found });
    for (const called of objectsIn([tool["function"]]))
      take(called, ofPart, { place: "tools[].function", found });
  }
  return left({ text, list: tools, found });
}

type Left = { readonly text: string; readonly list: unknown; readonly found: ReadonlyMap<string, boolean> };

function left({ text, list, found }: Left): { readonly text: string; readonly missed: readonly string[] } {
  if (found.size === 0) return { text, missed: [] };
  const missed = [...found].filter(([, isMissed]) => isMissed).map(([name]) => name);
  return { text: JSON.stringify(list), missed };
}

/** Where members are taken from, and name → whether it said anything anywhere. */
type Taken = { readonly place: string; readonly found: Map<string, boolean> };

function take(holder: JsonObject, members: readonly string[], { place, found }: Taken): void {
  for (const member of members) {
    if (!Object.hasOwn(holder, member)) continue;
    const name = `${place}.${member}`;
    found.set(name, found.get(name) === true || !hasNoEffect(member, holder[member]));
    Reflect.deleteProperty(holder, member);
  }
}

function objectsIn(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
