import { fingerprintOf, randomFrom } from "../answers/random.ts";
import { fillSchema } from "../answers/schema-filler.ts";
import { topicsOf } from "../answers/topics.ts";
import type { JsonObject } from "../json.ts";
import type { RunRequest } from "../run-request.ts";
import { htmlOf, markdownOf } from "../web/page.ts";
import type { WebPage } from "../web/page.ts";
import { creditsFor } from "./formats.ts";
import type { Format } from "./formats.ts";

export type Wish = { readonly formats: readonly Format[]; readonly proxy: unknown };

/** A page in the forms that were asked for, and what it cost. */
export function documentOf(page: WebPage, { formats, proxy }: Wish, request: RunRequest): JsonObject {
  const parts = formats.map((format) => [format.type, partOf(page, format, request)] as const);
  return {
    ...Object.fromEntries(parts),
    metadata: {
      title: page.title,
      description: page.description,
      language: "en",
      sourceURL: page.url,
      url: page.url,
      statusCode: 200,
      contentType: "text/html",
      proxyUsed: proxy === "stealth" || proxy === "enhanced" ? "stealth" : "basic",
      cacheState: "miss",
      scrapeId: idFor(page.url),
      creditsUsed: creditsFor(formats, proxy),
    },
  };
}

function partOf(page: WebPage, { type, options }: Format, request: RunRequest): unknown {
  switch (type) {
    case "markdown":
      return markdownOf(page);
    case "html":
    case "rawHtml":
      return htmlOf(page);
    case "links":
      return page.links;
    case "images":
      return [pictureOf(page, request)];
    case "screenshot":
      return request.fileUrl({ kind: "png", seed: fingerprintOf(page.url), width: 1_280, height: 720 });
    case "summary":
      return page.paragraphs[0];
    case "json":
      return fillSchema(options["schema"], {
        random: randomFrom(fingerprintOf(page.url)),
        words: topicsOf(page.paragraphs.join(" ")).words,
      });
    case "changeTracking":
      return { previousScrapeAt: null, changeStatus: "new", visibility: "visible" };
    case "attributes":
      return [];
    default:
      return { colorScheme: "light", colors: { primary: "#204080" }, fonts: [{ family: "Helvetica" }] };
  }
}

function pictureOf(page: WebPage, request: RunRequest): string {
  return request.fileUrl({ kind: "jpeg", seed: fingerprintOf(page.title), width: 800, height: 600 });
}

/** In the form of the ids that Firecrawl gives to scrapes. */
export function idFor(text: string): string {
  const digits = fingerprintOf(text);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join("-");
}
