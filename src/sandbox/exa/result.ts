import { fingerprintOf } from "../answers/random.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { RunRequest } from "../run-request.ts";
import { pageAt } from "../web/page.ts";
import type { Hit } from "../web/hits.ts";
import { titleFrom } from "../web/prose.ts";

/** What of the pages is wanted beside their addresses. */
export type Contents = {
  readonly text: number | undefined;
  readonly hasHighlights: boolean;
  readonly hasSummary: boolean;
};

const usualCharacters = 10_000;

/** `contents` of a search, or a body that has its members itself: each is `true` or an object of options. */
export function contentsIn(value: unknown): Contents {
  const wish = isObject(value) ? value : {};
  const { text } = wish;
  const most =
    isObject(text) && typeof text["maxCharacters"] === "number" ? text["maxCharacters"] : undefined;
  return {
    text: isWanted(text) ? (most ?? usualCharacters) : undefined,
    hasHighlights: isWanted(wish["highlights"]),
    hasSummary: isWanted(wish["summary"]),
  };
}

function isWanted(value: unknown): boolean {
  return value === true || isObject(value);
}

export function requestIdOf({ seed }: RunRequest): string {
  return seed.slice(0, 32);
}

export function resultOf(hit: Hit, wanted: Contents): JsonObject {
  return {
    id: hit.url,
    title: hit.title,
    url: hit.url,
    publishedDate: `${hit.date}T00:00:00.000Z`,
    author: titleFrom(new URL(hit.url).hostname),
    score: hit.score,
    favicon: hit.favicon,
    ...partsOf(hit.url, wanted),
  };
}

/** The page by its address alone. */
export function pageResult(url: string, wanted: Contents): JsonObject {
  const page = pageAt(url);
  const month = 1 + (Number.parseInt(fingerprintOf(url).slice(0, 2), 16) % 9);
  return {
    id: url,
    title: page.title,
    url: page.url,
    publishedDate: `2026-0${month}-01T00:00:00.000Z`,
    author: titleFrom(new URL(page.url).hostname),
    ...partsOf(url, wanted),
  };
}

function partsOf(url: string, { text, hasHighlights, hasSummary }: Contents): JsonObject {
  const page = pageAt(url);
  const whole = [page.title, ...page.paragraphs].join("\n\n");
  return {
    ...(text === undefined ? {} : { text: whole.slice(0, text) }),
    ...(hasHighlights ? { highlights: page.paragraphs.slice(0, 1), highlightScores: [0.64] } : {}),
    ...(hasSummary ? { summary: page.description } : {}),
  };
}
