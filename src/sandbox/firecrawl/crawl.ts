import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import type { Job, JobState } from "../job.ts";
import { isObject, stringOr, stringsIn } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { siteOf } from "../web/page.ts";
import { documentOf } from "./document.ts";
import { creditsFor, formatsIn } from "./formats.ts";
import { addressIn, scrapeRules } from "./scrape.ts";

const rules: FieldRules = {
  url: { is: "text", isRequired: true },
  limit: { is: "integer", least: 1 },
  includePaths: { is: "list" },
  excludePaths: { is: "list" },
  maxDiscoveryDepth: { is: "integer", least: 0 },
  scrapeOptions: { is: "object" },
  prompt: { is: "text" },
};

/** Pages per answer; the rest is behind `next`. */
const pagesPerAnswer = 10;
const largestSite = 60;
const keptMs = 86_400_000;

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "scraping",
  working: "scraping",
  done: "completed",
  failed: "failed",
  refused: "failed",
  cancelled: "cancelled",
};

/** POST /v2/crawl. */
export function startCrawl(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const options = isObject(body["scrapeOptions"]) ? body["scrapeOptions"] : {};
  checkFields(options, scrapeRules, 400);
  const formats = formatsIn(options["formats"]).map(({ type }) => type);
  const url = addressIn(body);
  const limit = typeof body["limit"] === "number" ? body["limit"] : largestSite;
  const job = request.begin({
    url,
    total: siteOf(url, Math.min(limit, largestSite)).length,
    formats,
    ...(typeof options["proxy"] === "string" ? { proxy: options["proxy"] } : {}),
  });
  return json({ success: true, id: job.id, url: `${request.baseUrl}/v2/crawl/${job.id}` });
}

/** GET /v2/crawl/{id}?skip=: the pages so far, ten at a time. */
export function crawlStatus(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Job not found");
  const { url, total, proxy } = factsOf(job);
  const formats = stringsIn(job.facts["formats"]).map((type) => ({ type, options: {} }));
  const completed = Math.floor(total * job.progress);
  const skip = Math.max(0, Math.floor(Number(request.query.get("skip") ?? 0)));
  const pages = siteOf(url, completed).slice(skip, skip + pagesPerAnswer);
  const isMore = skip + pages.length < completed;
  const address = `${request.baseUrl}/v2/crawl/${job.id}`;
  return json({
    success: true,
    status: statuses[job.state],
    total,
    completed,
    creditsUsed: completed * creditsFor(formats, proxy),
    expiresAt: new Date(job.endsAt + keptMs).toISOString(),
    ...(isMore ? { next: `${address}?skip=${skip + pages.length}` } : {}),
    data: pages.map((page) => documentOf(page, { formats, proxy }, request)),
  });
}

/** DELETE /v2/crawl/{id}. */
export function cancelCrawl(request: RunRequest): RunAnswer {
  const job = request.cancel(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Job not found");
  if (job.state !== "cancelled") throw new Refusal(409, "The crawl is already over.");
  return json({ success: true, status: "cancelled" });
}

/** GET /v2/crawl/{id}/errors. */
export function crawlErrors(request: RunRequest): RunAnswer {
  if (request.job(request.in("id")) === undefined) throw new Refusal(404, "Job not found");
  return json({ errors: [], robotsBlocked: [] });
}

/** Anybody can write an id: what it says must not cost much. */
function factsOf({ facts }: Job): { readonly url: string; readonly total: number; readonly proxy: unknown } {
  const url = stringOr(facts["url"], "");
  const total = typeof facts["total"] === "number" ? facts["total"] : 0;
  if (!URL.canParse(url)) throw new Refusal(404, "Job not found");
  return { url, total: Math.min(largestSite, Math.max(0, Math.floor(total))), proxy: facts["proxy"] };
}
