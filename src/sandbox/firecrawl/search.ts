import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import type { Hit } from "../web/hits.ts";
import { pageAt } from "../web/page.ts";
import { documentOf, idFor } from "./document.ts";
import { creditsFor, formatsIn } from "./formats.ts";

const rules: FieldRules = {
  query: { is: "text", isRequired: true, least: 1, most: 500 },
  limit: { is: "integer", least: 1, most: 100 },
  sources: { is: "list" },
  categories: { is: "list" },
  includeDomains: { is: "list" },
  excludeDomains: { is: "list" },
  tbs: { is: "text" },
  location: { is: "text" },
  scrapeOptions: { is: "object" },
};

const usualResults = 5;
const creditsPerTenResults = 2;

/** POST /v2/search: two credits for each ten results begun, and one scrape for each page that is read as well. */
export function search(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const sources = sourcesIn(body["sources"]);
  const hits = hitsFor(stringOr(body["query"], ""), {
    count: typeof body["limit"] === "number" ? body["limit"] : usualResults,
    domains: stringsIn(body["includeDomains"]),
    without: stringsIn(body["excludeDomains"]),
  });
  const options = isObject(body["scrapeOptions"]) ? body["scrapeOptions"] : undefined;
  const wish = options && { formats: formatsIn(options["formats"]), proxy: options["proxy"] };
  const web = hits.map((hit, at) => ({
    url: hit.url,
    title: hit.title,
    description: hit.snippet,
    position: at + 1,
    ...(wish === undefined ? {} : documentOf(pageAt(hit.url), wish, request)),
  }));
  const read =
    wish === undefined || !sources.includes("web") ? 0 : web.length * creditsFor(wish.formats, wish.proxy);
  const found = sources.map((source) => [source, source === "web" ? web : otherHits(source, hits, request)]);
  return json({
    success: true,
    data: Object.fromEntries(found),
    creditsUsed: Math.ceil((hits.length * sources.length) / 10) * creditsPerTenResults + read,
    id: idFor(request.seed),
  });
}

const known = ["web", "news", "images"];

function sourcesIn(written: unknown): readonly string[] {
  if (!Array.isArray(written) || written.length === 0) return ["web"];
  const sources = written.map((item: unknown) =>
    isObject(item) ? stringOr(item["type"], "") : String(item),
  );
  if (sources.some((source) => !known.includes(source))) {
    throw badRequest(`sources must be of ${known.join(", ")}.`, "sources");
  }
  return [...new Set(sources)];
}

function otherHits(source: string, hits: readonly Hit[], request: RunRequest): readonly JsonObject[] {
  return hits.map(({ title, url, snippet, date }, at) =>
    source === "news"
      ? { title, url, snippet, date, position: at + 1 }
      : {
          title,
          imageUrl: request.fileUrl({ kind: "jpeg", seed: idFor(url), width: 640, height: 480 }),
          imageWidth: 640,
          imageHeight: 480,
          url,
          position: at + 1,
        },
  );
}
