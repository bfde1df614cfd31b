import { z } from "zod";
import { parseJson } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { boundedGet } from "./bounded-get.ts";

/** https://docs.searxng.org/dev/search_api.html, read 2026-11-25. Results carry more; this is what is shown. */
const answerSchema = z.object({
  results: z.array(
    z.object({
      url: z.string(),
      title: z.string().nullish(),
      content: z.string().nullish(),
      score: z.number().nullish(),
    }),
  ),
});

export type SearxngResult = {
  readonly url: string;
  readonly title: string;
  readonly content: string;
  readonly score: number | undefined;
};

export type SearxngQuestion = {
  readonly query: string;
  /** From 1. */
  readonly page: number;
  readonly language: string | undefined;
  readonly signal: AbortSignal;
};

const mostBytes = 8 * 1024 * 1024;
const timeoutMs = 30_000;
const longestText = 10_000;

/** One page of results. `server` is the operator's, with or without a path and a slash at its end. */
export async function askSearxng(
  server: string,
  question: SearxngQuestion,
): Promise<readonly SearxngResult[]> {
  const { query, page, language, signal } = question;
  const url = new URL("search", server.endsWith("/") ? server : `${server}/`);
  url.searchParams.set("q", query);
  url.searchParams.set("format", "json");
  url.searchParams.set("pageno", String(page));
  if (language !== undefined) url.searchParams.set("language", language);
  return resultsIn(await answerFrom(url, signal));
}

async function answerFrom(url: URL, signal: AbortSignal): Promise<string> {
  try {
    const { status, bytes } = await boundedGet(url, { maxBytes: mostBytes, timeoutMs, signal });
    if (status === 200) return bytes.toString("utf8");
    // 403 usually means that its settings do not list `json` among the formats.
    throw new Error(`the search server answered ${status}`);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Problem("upstream_error", { message: "The search server gave no answer.", cause });
  }
}

function resultsIn(text: string): readonly SearxngResult[] {
  const read = answerSchema.safeParse(parsed(text));
  if (!read.success)
    throw new Problem("upstream_invalid_response", {
      message: "The search server sent an answer that cannot be read.",
      cause: read.error,
    });
  return read.data.results
    .filter(({ url }) => /^https?:/.test(url) && URL.canParse(url))
    .map(({ url, title, content, score }) => ({
      url,
      title: (title ?? "").slice(0, longestText),
      content: (content ?? "").slice(0, longestText),
      score: score ?? undefined,
    }));
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
