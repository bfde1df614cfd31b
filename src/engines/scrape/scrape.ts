import type { Clock } from "../../core/clock.ts";
import { Problem } from "../../core/problems.ts";
import type { Egress } from "../../egress/egress.ts";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import type { WorkerPool } from "../worker-pool.ts";
import type { ChromiumSettings } from "./chromium.ts";
import { withDeadline } from "./deadline.ts";
import type { PageReader } from "./page-reader.ts";
import type { PageResult } from "./read-page.ts";
import { scrapeInputs } from "./scrape-inputs.ts";
import type { ScrapeInputs } from "./scrape-inputs.ts";

export type ScrapeSettings = {
  readonly egress: Pick<Egress, "fetch" | "stream">;
  readonly pool: WorkerPool;
  readonly clock: Clock;
  /** For pages that are empty without their scripts; without it such pages are read as they are sent. */
  readonly chromium?: ChromiumSettings | undefined;
};

/** Pages of one run that are read at once. */
const readers = 3;

/**
 * Reads web pages as Markdown, HTML, or lists of links and images. It goes by each site's robots.txt, and charged is
 * one request for each page with content: what answers with an error status or is empty costs nothing.
 */
export function scrapeEngine(settings: ScrapeSettings): Engine {
  let loading: Promise<PageReader> | undefined;
  /** Loaded for the first page: a start does not wait for it. */
  const reader = (): Promise<PageReader> =>
    (loading ??= import("./page-reader.ts").then(({ pageReader }) => pageReader(settings)));
  return {
    name: "scrape",
    missing: () => undefined,
    run: async (context) => run(context, await reader()),
  };
}

async function run({ inputs, signal }: EngineContext, readPage: PageReader): Promise<EngineResult> {
  const wanted = scrapeInputs(inputs);
  const read = (page: ScrapeInputs["pages"][number]): Promise<PageResult> => {
    const { wishes } = wanted;
    return withDeadline({ signal, timeoutMs: wishes.timeoutMs, param: page.param }, (ending) =>
      readPage({ ...page, wishes, signal: ending }),
    );
  };
  if (!wanted.isList) {
    const [page] = await Promise.all(wanted.pages.map(read));
    return page === undefined ? resultOf({}, []) : resultOf({ ...page, ...asData(page) }, [page]);
  }
  const results = await readAll(wanted.pages, read, signal);
  const pages = results.filter((result): result is PageResult => !("error" in result));
  return resultOf({ results }, pages);
}

/** Where clients of a scraper look first. */
function asData({ markdown, html }: PageResult): EngineResult["output"] {
  if (markdown === undefined && html === undefined) return {};
  return {
    data: { ...(markdown === undefined ? {} : { markdown }), ...(html === undefined ? {} : { html }) },
  };
}

function resultOf(output: EngineResult["output"], pages: readonly PageResult[]): EngineResult {
  const requests = pages.filter(hasContent).length;
  return { output, files: [], usage: { requests }, isEmpty: requests === 0 };
}

function hasContent({ metadata, ...contents }: PageResult): boolean {
  return metadata.statusCode < 400 && Object.values(contents).some((content) => content.length > 0);
}

type FailedPage = {
  readonly error: { readonly code: string; readonly message: string };
  readonly metadata: { readonly sourceURL: string };
};

type Page = ScrapeInputs["pages"][number];

/** All pages in their order; one that cannot be read says so in its place. */
async function readAll(
  pages: readonly Page[],
  read: (page: Page) => Promise<PageResult>,
  signal: AbortSignal,
): Promise<readonly (PageResult | FailedPage)[]> {
  const results: (PageResult | FailedPage)[] = [];
  const left = [...pages.entries()];
  const reader = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, page] = next;
      results[index] = await read(page).catch((error: unknown) => failureOf(error, page, signal));
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return results;
}

function failureOf(error: unknown, { url }: Page, signal: AbortSignal): FailedPage {
  signal.throwIfAborted();
  if (!(error instanceof Problem)) throw error;
  return { error: { code: error.code, message: error.message }, metadata: { sourceURL: url } };
}
