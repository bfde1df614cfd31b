import { fingerprintOf } from "../answers/random.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { isWebAddress, markdownOf, pageAt } from "../web/page.ts";
import { answer } from "./answer.ts";

const rules: FieldRules = {
  extract_depth: { is: "text", oneOf: ["basic", "advanced"] },
  format: { is: "text", oneOf: ["markdown", "text"] },
  include_images: { is: "boolean" },
  include_favicon: { is: "boolean" },
  include_usage: { is: "boolean" },
};

const mostUrls = 20;
const pagesPerCredit = 5;

/** POST /extract: pages that cannot be read are among the failed ones and cost nothing. */
export function extract(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const urls = urlsIn(body["urls"]);
  const found = urls.filter(isFound);
  const failed = urls.filter((url) => !isFound(url)).map((url) => ({ url, error: "Failed to fetch url" }));
  const times = body["extract_depth"] === "advanced" ? 2 : 1;
  return answer(request, {
    members: {
      results: found.map((url) => readPage(url, body, request)),
      failed_results: failed,
    },
    credits: Math.floor(found.length / pagesPerCredit) * times,
  });
}

function urlsIn(value: unknown): readonly string[] {
  const urls = typeof value === "string" ? [value] : stringsIn(value);
  if (urls.length === 0) throw badRequest("Empty URL list", "urls");
  if (urls.length > mostUrls) throw badRequest(`Max ${mostUrls} URLs are allowed.`, "urls");
  return urls;
}

/** Hosts below `.invalid` are never found, as on the real web. */
export function isFound(url: string): boolean {
  return isWebAddress(url) && !new URL(url).hostname.endsWith(".invalid");
}

function readPage(url: string, body: JsonObject, request: RunRequest): JsonObject {
  const page = pageAt(url);
  const picture = (): string =>
    request.fileUrl({ kind: "png", seed: fingerprintOf(page.url), width: 640, height: 360 });
  return {
    url,
    title: page.title,
    raw_content: body["format"] === "text" ? page.paragraphs.join("\n\n") : markdownOf(page),
    images: body["include_images"] === true ? [picture()] : [],
    ...(body["include_favicon"] === true ? { favicon: `${new URL(page.url).origin}/favicon.ico` } : {}),
  };
}
