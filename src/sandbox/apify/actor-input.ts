import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";

/** Names under which actors are told how many results are wanted. */
const counts = [
  ..."maxItems resultsLimit resultsPerPage maxResults maxCrawlPages maxRequestsPerCrawl".split(" "),
  ..."maxPosts maxTweets count limit".split(" "),
];
const usualItems = 5;
const mostItems = 50;
const longestSubject = 200;

export function countIn(input: JsonObject): number {
  const wanted = counts.map((name) => input[name]).find((value) => typeof value === "number");
  return typeof wanted === "number" ? Math.min(Math.max(0, Math.floor(wanted)), mostItems) : usualItems;
}

/** What an actor is to look for: the first text of its input, whatever its name is. */
export function subjectIn(input: unknown): string {
  return firstTextIn(input, 0)?.slice(0, longestSubject) ?? "examples";
}

const deepest = 4;

function firstTextIn(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (depth > deepest || (!Array.isArray(value) && !isObject(value))) return undefined;
  for (const inner of Object.values(value)) {
    const text = firstTextIn(inner, depth + 1);
    if (text !== undefined) return text;
  }
  return undefined;
}
