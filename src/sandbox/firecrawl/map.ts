import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringOr } from "../json.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { siteOf } from "../web/page.ts";
import { idFor } from "./document.ts";
import { addressIn } from "./scrape.ts";

const rules: FieldRules = {
  url: { is: "text", isRequired: true },
  search: { is: "text" },
  sitemap: { is: "text", oneOf: ["skip", "include", "only"] },
  includeSubdomains: { is: "boolean" },
  limit: { is: "integer", least: 1, most: 100_000 },
};

/** POST /v2/map: addresses of a site; those that a search is about come first. */
export function mapSite(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const limit = typeof body["limit"] === "number" ? body["limit"] : Infinity;
  const search = stringOr(body["search"], "").toLowerCase();
  const links = siteOf(addressIn(body), 60)
    .map(({ url, title, description }) => ({ url, title, description }))
    .sort((one, other) => Number(isAbout(other.url, search)) - Number(isAbout(one.url, search)));
  return json({ success: true, id: idFor(request.seed), links: links.slice(0, limit) });
}

function isAbout(url: string, search: string): boolean {
  return search !== "" && url.toLowerCase().includes(search);
}
