import { fingerprintOf } from "../answers/random.ts";
import type { Job } from "../job.ts";
import { numberIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { sentencesOn } from "../web/prose.ts";

/** Documents of more pages come as an address, as do others on demand. */
const mostPagesInline = 30;
const mostPages = 500;
const lifetimeMs = 3_600_000;

export function pagesOf({ facts }: Job): number {
  return Math.min(mostPages, Math.max(1, numberIn(facts["pages"]) ?? 1));
}

/** What a parse gives: the content, or where it is; and how many pages and credits it took. */
export function parseResultOf(job: Job, request: RunRequest): JsonObject {
  const pages = pagesOf(job);
  const isLarge = pages > mostPagesInline || job.facts["isUrl"] === true;
  return {
    job_id: job.id,
    duration: job.workMs / 1_000,
    usage: usageOf(pages, job.facts["isAgentic"] === true),
    result: isLarge ? addressOf(job, request) : contentOf(job),
    pdf_url: null,
    studio_link: `https://studio.reducto.ai/job/${job.seed}`,
  };
}

function usageOf(pages: number, isAgentic: boolean): JsonObject {
  const kinds = isAgentic ? ["page", "agentic"] : ["page"];
  const numbers = Array.from({ length: pages }, (_, at) => [String(at + 1), kinds]);
  const each = isAgentic ? 2 : 1;
  return {
    num_pages: pages,
    credits: pages * each,
    credit_breakdown: isAgentic ? { page: pages, agentic: pages } : { page: pages },
    page_billing_breakdown: Object.fromEntries(numbers),
  };
}

function addressOf(job: Job, request: RunRequest): JsonObject {
  const expires = job.endsAt + (job.orders.fileMs ?? lifetimeMs);
  const url = `${request.baseUrl}/results/${job.id}?expires=${expires}`;
  return { type: "url", url, result_id: job.seed };
}

/** GET /results/{id}?expires=: a large result, open to whoever has the address. */
export function sendResult(request: RunRequest): RunAnswer {
  const job = request.job(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Not Found");
  if (request.now() >= Number(request.query.get("expires"))) throw new Refusal(403, "Request has expired");
  return json(contentOf(job));
}

function contentOf(job: Job): JsonObject {
  const name = stringOr(job.facts["name"], "");
  const pages = Array.from({ length: pagesOf(job) }, (_, at) => blocksOf(name, at + 1));
  const chunks = job.facts["isByPage"] === true ? pages : [pages.flat()];
  return {
    type: "full",
    chunks: chunks.map((blocks) => {
      const content = blocks.map((block) => block.content).join("\n\n");
      return { content, embed: content, enriched: null, blocks };
    }),
    ocr: null,
    custom: null,
  };
}

type Block = {
  readonly type: string;
  readonly content: string;
  readonly bbox: JsonObject;
  readonly confidence: string;
};

function blocksOf(name: string, page: number): readonly Block[] {
  const box = (top: number, height: number): JsonObject => ({
    left: 0.1,
    top,
    width: 0.8,
    height,
    page,
    original_page: page,
  });
  const text = sentencesOn(`${name} document page`, 3, fingerprintOf(`${name} ${page}`)).join(" ");
  return [
    { type: "Title", content: `# Page ${page} of ${name}`, bbox: box(0.1, 0.05), confidence: "high" },
    { type: "Text", content: text, bbox: box(0.2, 0.5), confidence: "high" },
  ];
}
