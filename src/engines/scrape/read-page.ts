import { pageAddress } from "./page-address.ts";
import { Problem } from "../../core/problems.ts";
import type { Egress } from "../../egress/egress.ts";
import { containerOf } from "../parse/document-kind.ts";
import { markdownOf, readDocument } from "../parse/document.ts";
import type { WorkerPool } from "../worker-pool.ts";
import { decodeText } from "./charset.ts";
import type { FetchedPage, PageRequest } from "./fetch-page.ts";
import type { PageReading } from "./page-task.ts";
import { fetchAllowed } from "./fetch-allowed.ts";
import { readHtml } from "./read-html.ts";
import { readRendered } from "./read-rendered.ts";
import type { Renderer } from "./renderer.ts";
import type { Robots } from "./robots.ts";
import type { ScrapeWishes } from "./scrape-inputs.ts";

export type PageParts = {
  readonly egress: Pick<Egress, "fetch">;
  readonly pool: WorkerPool;
  readonly robots: Robots;
  /** Undefined where there is no browser. */
  readonly renderer: Renderer | undefined;
};

export type PageVisit = {
  readonly url: string;
  /** The input that named the page. */
  readonly param: string;
  readonly wishes: ScrapeWishes;
  /** Ends the visit, also when its time is up. */
  readonly signal: AbortSignal;
};

export type PageResult = PageReading["contents"] & {
  readonly metadata: PageReading["facts"] & {
    readonly sourceURL: string;
    readonly url: string;
    readonly statusCode: number;
    readonly contentType: string;
    /** Of documents that have pages. */
    readonly numPages?: number;
  };
};

type PageContent = Pick<PageReading, "contents" | "facts"> & {
  readonly numPages?: number;
  /** The page that was read in the end, where scripts have changed it. */
  readonly page?: FetchedPage;
};

const htmlType = /^(?:text\/html|application\/xhtml\+xml)\b/i;
const textType =
  /^(?:text\/|application\/(?:(?:[\w.-]+\+)?(?:json|xml)|x-ndjson|yaml|x-yaml|toml|javascript)\b)/i;

/** Fetches and reads one page, as far as its site allows it. Throws a `Problem` that names the input. */
export async function readPage(parts: PageParts, visit: PageVisit): Promise<PageResult> {
  const request = requestOf(visit);
  const fetched = await fetchAllowed(parts, request);
  const { contents, facts, numPages, page = fetched } = await contentOf(fetched, parts, visit);
  return {
    ...contents,
    metadata: {
      ...facts,
      sourceURL: visit.url,
      url: page.url,
      statusCode: page.status,
      contentType: page.contentType,
      ...(numPages === undefined ? {} : { numPages }),
    },
  };
}

function requestOf({ url, param, wishes, signal }: PageVisit): PageRequest {
  const { headers, isMobile, timeoutMs } = wishes;
  return { url: pageAddress(url, param), headers, isMobile, timeoutMs, signal, param };
}

async function contentOf(page: FetchedPage, parts: PageParts, visit: PageVisit): Promise<PageContent> {
  const { bytes, contentType } = page;
  if (containerOf(bytes) !== undefined) return readAsDocument(page, parts, visit);
  const isHtml =
    contentType === "" ? /^\s*</.test(decodeText(bytes.subarray(0, 1024), "")) : htmlType.test(contentType);
  if (isHtml) return readAsPage(page, parts, visit);
  if (contentType === "" || textType.test(contentType)) return readAsText(page, visit);
  throw new Problem("invalid_request", {
    message: "There is no page and no document at this address that can be read.",
    param: visit.param,
  });
}

async function readAsPage(page: FetchedPage, parts: PageParts, visit: PageVisit): Promise<PageContent> {
  const sent = { reading: await readHtml(page, parts, visit), page };
  const { reading, page: read } = await readRendered(sent, { parts, visit });
  return { ...reading, page: read };
}

async function readAsDocument(
  page: FetchedPage,
  { pool }: PageParts,
  visit: PageVisit,
): Promise<PageContent> {
  const { bytes, contentType, url } = page;
  const order = { bytes, contentType, name: url, pages: {} };
  const document = await readDocument(order, { pool, signal: visit.signal, param: visit.param });
  const isWanted = visit.wishes.formats.includes("markdown");
  return {
    contents: isWanted ? { markdown: markdownOf(document) } : {},
    facts: { title: document.title ?? "" },
    numPages: document.pages,
  };
}

/** Text is Markdown enough, and data is handed on as it is. */
function readAsText({ bytes, contentType }: FetchedPage, { wishes }: PageVisit): PageContent {
  const text = decodeText(bytes, contentType);
  return {
    contents: {
      ...(wishes.formats.includes("markdown") ? { markdown: text.trim() } : {}),
      ...(wishes.formats.includes("rawHtml") ? { rawHtml: text, raw_html: text } : {}),
    },
    facts: { title: "" },
  };
}
