import { fingerprintOf } from "../answers/random.ts";
import type { Segment } from "./input-usage.ts";

/** Prefixes remembered; the one not seen for longest is forgotten first. Time plays no part. */
const mostPrefixes = 1_000;
/** How far before a mark an older prefix is looked for (platform.claude.com/docs, prompt caching: 20 blocks). */
const lookback = 20;

/** Numbers of segments: what was read from the cache, and up to where it is now cached, by lifetime. */
export type CachePlace = { readonly readTo: number; readonly shortTo: number; readonly longTo: number };

const known = new Map<string, true>();

/** What a caching prompt finds and leaves behind. `scope` keeps the prompts of different keys and models apart. */
export const promptCache = {
  visit(segments: readonly Segment[], scope: string): CachePlace | undefined {
    const marks = segments.flatMap((segment, at) => (segment.keptFor === undefined ? [] : [at]));
    if (marks.length === 0) return undefined;
    const prefixes = prefixesOf(segments, scope);
    const readTo = 1 + Math.max(-1, ...marks.map((mark) => lastKnown(prefixes, mark)));
    for (const mark of marks) remember(prefixes[mark] ?? "");
    const end = (lifetime: "5m" | "1h"): number =>
      Math.max(readTo, 1 + segments.findLastIndex((segment) => segment.keptFor === lifetime));
    return { readTo, shortTo: end("5m"), longTo: end("1h") };
  },
};

function prefixesOf(segments: readonly Segment[], scope: string): readonly string[] {
  let prefix = fingerprintOf(scope);
  return segments.map((segment) => {
    prefix = fingerprintOf(`${prefix} ${JSON.stringify(segment.block)}`);
    return prefix;
  });
}

function lastKnown(prefixes: readonly string[], mark: number): number {
  for (let at = mark; at >= 0 && at > mark - lookback; at -= 1) {
    const prefix = prefixes[at] ?? "";
    if (!known.has(prefix)) continue;
    remember(prefix);
    return at;
  }
  return -1;
}

function remember(prefix: string): void {
  known.delete(prefix);
  known.set(prefix, true);
  const oldest = known.keys().next().value;
  if (known.size > mostPrefixes && oldest !== undefined) known.delete(oldest);
}
