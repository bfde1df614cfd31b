import { isJsonObject, parseJson } from "../../core/json-object.ts";

/**
 * True of every text that has a member `ttl`, also with escapes in its name, and of few others. Within a string each quote
 * is escaped, so that no content looks like a member.
 */
const some = /"(?:ttl|(?:[tl]|\\u00[67][0-9A-Fa-f]){3})"\s*:/;

/** Hardly any text has either of the two, and that is seen the fastest. */
function mayHaveSome(text: string): boolean {
  return (text.includes("ttl") || text.includes("\\u00")) && some.test(text);
}

/**
 * The text of `messages` or `tools` without the `ttl` of their marks for caches: an hour's cache costs more than the one
 * meter for cache writes charges. Undefined where there is none to leave out.
 * https://openrouter.ai/docs/features/prompt-caching
 */
export function withUsualCaches(text: string): string | undefined {
  if (!mayHaveSome(text)) return undefined;
  const list = parseJson(text);
  const found = itemsIn(list).flatMap(holdersOf).filter(isShortened);
  return found.length > 0 ? JSON.stringify(list) : undefined;
}

function holdersOf(item: unknown): readonly unknown[] {
  if (!isJsonObject(item)) return [];
  return [item, item["function"], ...itemsIn(item["content"]), ...itemsIn(item["tool_calls"])];
}

/** True when its mark had a time of its own, which is gone now. */
function isShortened(holder: unknown): boolean {
  const mark = isJsonObject(holder) ? holder["cache_control"] : undefined;
  if (!isJsonObject(mark)) return false;
  const { ttl } = mark;
  if (ttl === undefined || ttl === null || ttl === "5m") return false;
  return Reflect.deleteProperty(mark, "ttl");
}

function itemsIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}
