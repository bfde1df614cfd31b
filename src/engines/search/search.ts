import { z } from "zod";
import { Problem } from "../../core/problems.ts";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { readInputs } from "../read-inputs.ts";
import { askSearxng } from "./searxng.ts";
import type { SearxngResult } from "./searxng.ts";

const missingText = "Set SKILLBOSS_SEARXNG_URL to a SearXNG server.";

const query = z
  .string()
  .trim()
  .min(1, "The query is empty.")
  .max(2000, "The query is longer than 2,000 signs.");
const domains = z.array(z.string().min(1).max(253)).max(50).default([]);

/** Most of the engines behind the server do not say when a page was written. */
const undated = z
  .undefined("This server's own search does not know how old a page is: leave the day out.")
  .optional();

const schema = z
  .object({
    query: query.optional(),
    q: query.optional(),
    max_results: z.number().int().min(1).max(50).default(10),
    output_type: z
      .literal("searchResults", "This server's own search gives results only: ask for searchResults.")
      .optional(),
    from_date: undated,
    to_date: undated,
    language: z
      .string()
      .regex(/^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$/, "Write the language as `en` or `en-US`.")
      .optional(),
    include_domains: domains,
    exclude_domains: domains,
  })
  .refine((inputs) => (inputs.query ?? inputs.q) !== undefined, {
    message: "Say what to look for.",
    path: ["query"],
  });

type Wishes = z.output<typeof schema>;

/** Pages of the server that one run may ask for. */
const mostPages = 4;

/** `searxngUrl` is the operator's own server and is trusted: it is asked as it stands. */
export function searchEngine({ searxngUrl }: { readonly searxngUrl: string | undefined }): Engine {
  const isSet = searxngUrl !== undefined && URL.canParse(searxngUrl);
  return {
    name: "search",
    missing: () => (isSet ? undefined : missingText),
    run: (context) => {
      if (!isSet) throw new Problem("provider_not_configured", { message: missingText });
      return run(context, searxngUrl);
    },
  };
}

async function run({ inputs, signal }: EngineContext, server: string): Promise<EngineResult> {
  const wishes = readInputs(schema, inputs);
  const found = await find(wishes, server, signal);
  const results = found.map(({ url, title, content, score }) => ({
    type: "text",
    name: title,
    title,
    url,
    content,
    ...(score === undefined ? {} : { score }),
  }));
  return { output: { results }, files: [], usage: { requests: 1 }, isEmpty: results.length === 0 };
}

/** Page after page until there are enough, or nothing new comes. */
async function find(wishes: Wishes, server: string, signal: AbortSignal): Promise<readonly SearxngResult[]> {
  const text = withSite(wishes.query ?? wishes.q ?? "", wishes.include_domains);
  const seen = new Set<string>();
  const found: SearxngResult[] = [];
  for (let page = 1; page <= mostPages && found.length < wishes.max_results; page++) {
    const results = await askSearxng(server, { query: text, page, language: wishes.language, signal });
    const fresh = results.filter(({ url }) => !seen.has(url));
    if (fresh.length === 0) break;
    for (const { url } of fresh) seen.add(url);
    found.push(...fresh.filter((result) => isWanted(result, wishes)));
  }
  return found.slice(0, wishes.max_results);
}

/** Most of the engines behind the server understand one `site:`. */
function withSite(text: string, include: readonly string[]): string {
  const [only, other] = include;
  return only === undefined || other !== undefined ? text : `${text} site:${only}`;
}

function isWanted(
  { url }: SearxngResult,
  { include_domains: include, exclude_domains: exclude }: Wishes,
): boolean {
  const { hostname } = new URL(url);
  const isOf = (domain: string): boolean => {
    const name = domain.toLowerCase().replace(/^\*?\./, "");
    return hostname === name || hostname.endsWith(`.${name}`);
  };
  return !exclude.some(isOf) && (include.length === 0 || include.some(isOf));
}
