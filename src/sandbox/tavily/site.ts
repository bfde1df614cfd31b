import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { markdownOf, siteOf } from "../web/page.ts";
import type { WebPage } from "../web/page.ts";
import { answer } from "./answer.ts";
import { isFound } from "./extract.ts";

const rules: FieldRules = {
  url: { is: "text", isRequired: true, least: 1 },
  limit: { is: "integer", least: 1 },
  max_depth: { is: "integer", least: 1, most: 5 },
  max_breadth: { is: "integer", least: 1, most: 500 },
  select_paths: { is: "list" },
  exclude_paths: { is: "list" },
  allow_external: { is: "boolean" },
  instructions: { is: "text" },
  extract_depth: { is: "text", oneOf: ["basic", "advanced"] },
  format: { is: "text", oneOf: ["markdown", "text"] },
  include_usage: { is: "boolean" },
};

const usualLimit = 50;

/** POST /map: one credit for ten addresses, two with instructions. */
export function mapSite(request: RunRequest): RunAnswer {
  const { body, pages, base } = siteIn(request);
  const times = body["instructions"] === undefined ? 1 : 2;
  return answer(request, {
    members: { base_url: base, results: pages.map(({ url }) => url) },
    credits: Math.ceil(pages.length / 10) * times,
  });
}

/** POST /crawl: what a map costs, and for five pages read one credit, or two where they are read thoroughly. */
export function crawl(request: RunRequest): RunAnswer {
  const { body, pages, base } = siteIn(request);
  const found = Math.ceil(pages.length / 10) * (body["instructions"] === undefined ? 1 : 2);
  const read = Math.ceil(pages.length / 5) * (body["extract_depth"] === "advanced" ? 2 : 1);
  return answer(request, {
    members: { base_url: base, results: pages.map((page) => readPage(page, body)) },
    credits: found + read,
  });
}

type Site = { readonly body: JsonObject; readonly pages: readonly WebPage[]; readonly base: string };

function siteIn(request: RunRequest): Site {
  const body = request.json();
  checkFields(body, rules, 400);
  const written = String(body["url"]);
  const url = written.includes("://") ? written : `https://${written}`;
  if (!isFound(url)) throw badRequest("The URL cannot be reached.", "url");
  const pages = siteOf(url, typeof body["limit"] === "number" ? body["limit"] : usualLimit);
  return { body, pages, base: new URL(url).host };
}

function readPage(page: WebPage, { format }: JsonObject): JsonObject {
  const text = format === "text" ? page.paragraphs.join("\n\n") : markdownOf(page);
  return { url: page.url, raw_content: text, images: [] };
}
